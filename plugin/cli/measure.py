"""`adamatte compose`, `evaluate`: what measures the network."""

import sys
from pathlib import Path

import click

from plugin.cli.help_page import (
    FILE,
    MODEL,
    LaidOutCommand,
    device_option,
    file_option,
    number_option,
    option,
    talk_options,
)
from plugin.cli.saying import say
from plugin.errors import ShotError


def _compose(
    data: Path, out: Path, *, mattes: int, size: int, frames: int, quiet: bool, **_talk: object
) -> None:
    if frames:
        from model.evaluation.hair_frames import build_hair_frames

        count, what = build_hair_frames(data, out, count=frames), "frames"
    else:
        from model.evaluation.compositions import build_held_out_set

        count, what = build_held_out_set(data, out, mattes=mattes, size=size), "compositions"
    if not quiet:
        say(f"{count} {what} in {out}; measure with adamatte evaluate --bench {out}")


def _evaluate(
    *,
    bench: tuple[Path, ...],
    model: tuple[str, ...],
    device: str,
    baselines: str,
    trimap: tuple[str, ...],
    json_file: Path | None,
    cache: Path | None,
    figure_file: Path | None,
    quiet: bool,
    **_talk: object,
) -> None:
    from model.evaluation.comparison import measure_and_report
    from model.matter import Matter

    def tell(done: int, total: int, what: str) -> None:
        if not quiet:
            say(f"{done} of {total}: {what}", err=True)

    if figure_file is not None and not len(bench) == len(model) == len(trimap) == 1:
        raise ShotError(
            "a figure is of one benchmark, model and trimap", where="--figure", fix="leave it"
        )
    table = measure_and_report(
        bench,
        {name: Matter(name, device=device) for name in model},
        baselines=baselines,
        trimaps=trimap,
        json_file=json_file,
        cache=cache,
        figure_file=figure_file,
        progress=tell,
    )
    sys.stdout.write(table.rstrip() + "\n")


compose = LaidOutCommand(
    name="compose",
    callback=_compose,
    help="Compose a test set, in the Composition-1k layout, of what training never sees: held-out "
    "cut-outs of DATA/fg and fresh procedural mattes, each over two held-out DATA/photos.",
    params=[
        click.Argument(["data"], type=FILE),
        file_option("--out", "DIR", "An empty or new folder.", required=True),
        number_option("--mattes", (0, 1000), 27, "Procedural mattes beside the cut-outs."),
        number_option("--size", (64, 4096), 512, "Longest side of a composition.", metavar="PX"),
        number_option(
            "--frames",
            (0, 1000),
            0,
            "That many 1080p frames of held-out rendered hair over held-out photographs instead.",
        ),
        *talk_options(),
    ],
    examples=[
        ("the set, then its figures", "adamatte compose pictures --out testset"),
        ("real strands at 1080p", "adamatte compose pictures --out hair --frames 24"),
    ],
)

evaluate = LaidOutCommand(
    name="evaluate",
    callback=_evaluate,
    help="Measure the network, and baselines beside it, on images with known alpha: SAD, MSE, "
    "Grad, Conn, and accuracy and mIoU of the adapted trimap.",
    params=[
        file_option(
            "--bench",
            "DIR",
            "DIR/<name>/image.png, alpha.png, trimap.png; or a Composition-1k or "
            "alphamatting.com folder. Several --bench, --model or --trimap make one table of all.",
            required=True,
            multiple=True,
        ),
        option("--model NAME|FILE", MODEL, default=("lite",), multiple=True),
        device_option(),
        option(
            "--baselines cf,knn",
            "Measured beside it on the same images: closed-form, KNN, and planes: what the "
            "network starts from.",
            default="",
            show_default=False,
        ),
        option(
            "--trimap KIND",
            "trimap, large (any trimap-KIND.png), dilate-N: the true unknown region grown "
            "by N pixels, or erode-N: from a mask N pixels too tight.",
            default=("trimap",),
            multiple=True,
        ),
        file_option("--json", "FILE", "Write all figures there too.", name="json_file"),
        file_option("--cache", "DIR", "Keep the baselines' mattes there; they take minutes."),
        file_option(
            "--figure",
            "FILE.png",
            "A picture of the first ten: image, trimap, adapted trimap, alpha, truth.",
            name="figure_file",
        ),
        *talk_options(),
    ],
    examples=[
        ("beside the baselines", "adamatte evaluate --bench alphamatting --baselines cf,knn"),
        (
            "two sets of weights on two benchmarks, in one table",
            "adamatte evaluate --bench mattes --bench testset --model lite --model new.safetensors",
        ),
    ],
)
