"""`adamatte train`, `export`, `evaluate`: what works on the network itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from plugin.cli.help_page import LaidOutCommand, number_option, talk_options
from plugin.cli.saying import say
from plugin.errors import ShotError

__all__ = ["compose", "evaluate", "export", "pack", "train"]


_FILE = click.Path(path_type=Path)


def _path(
    option: str,
    metavar: str,
    text: str,
    *,
    name: str = "",
    required: bool = False,
    multiple: bool = False,
) -> click.Option:
    words = [option, name] if name else [option]
    return click.Option(
        words, type=_FILE, required=required, multiple=multiple, metavar=metavar, help=text
    )


def _train(
    *,
    config: Path,
    device: str,
    minutes: float | None,
    pictures: Path | None,
    benches: tuple[Path, ...],
    quiet: bool,
    **_talk: object,
) -> None:
    from model.training.run import train as run_training

    report: Callable[[str], None] = (lambda _line: None) if quiet else say
    run_training(config, device=device, minutes=minutes, pictures=pictures, report=report)
    if benches:
        from model.evaluation.trained import measure_run

        measure_run(config, benches, report)


def _pack(data: Path, out: Path, mattes: int, size: int, **_talk: object) -> None:
    from model.training.banks import pack as pack_banks

    pack_banks(data, out, size=size, mattes=mattes)


def _compose(
    data: Path, out: Path, *, mattes: int, size: int, frames: int, quiet: bool, **_talk: object
) -> None:
    if frames:
        from model.evaluation.hair_frames import build_hair_frames

        count, what = build_hair_frames(data, out, count=frames), "frames"
    else:
        from model.evaluation.held_out import build_held_out_set

        count, what = build_held_out_set(data, out, mattes=mattes, size=size), "compositions"
    if not quiet:
        say(f"{count} {what} in {out}; measure with adamatte evaluate --bench {out}")


def _export(
    weights: Path, out: Path | None, onnx_file: Path | None, quiet: bool, **_talk: object
) -> None:
    if out is None and onnx_file is None:
        raise ShotError(
            "nothing to write", where="adamatte export", fix="give --out FILE or --onnx FILE"
        )
    tell = (lambda _line: None) if quiet else say
    if out is not None:
        from model.export.weights import export_weights

        written = export_weights(weights, out)
        tell(f"{written.path}  sha256 {written.sha256}")
    if onnx_file is not None:
        from model.export.onnx_file import export_onnx

        made = export_onnx(weights, onnx_file)
        tell(f"{made.path}  differs from torch by at most {made.difference:.1e}")


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
    from model.evaluation.comparison import compare_and_report
    from model.evaluation.evaluate import evaluate_and_report
    from model.matter import Matter

    def tell(done: int, total: int, what: str) -> None:
        if not quiet:
            say(f"{done} of {total}: {what}", err=True)

    if len(bench) == len(model) == len(trimap) == 1:
        table = evaluate_and_report(
            bench[0],
            Matter(model[0], device=device),
            baselines=baselines,
            trimap=trimap[0],
            json_file=json_file,
            cache=cache,
            figure_file=figure_file,
            progress=tell,
        )
    else:
        if figure_file is not None:
            raise ShotError(
                "a figure is of one benchmark, model and trimap", where="--figure", fix="leave it"
            )
        table = compare_and_report(
            bench,
            {name: Matter(name, device=device) for name in model},
            baselines=baselines,
            trimaps=trimap,
            json_file=json_file,
            cache=cache,
            progress=tell,
        )
    sys.stdout.write(table.rstrip() + "\n")


_DEVICE = click.Option(
    ["--device"],
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="auto takes a GPU where there is one.",
)

train = LaidOutCommand(
    name="train",
    callback=_train,
    help="Train AdaMatting as CONFIG says; goes on where an earlier run of it stopped.\n\n"
    "CONFIG is a TOML file; model/configs has examples. The pictures are packed once with "
    "`adamatte pack`. Checkpoints and a log in JSON lines go to its `out` folder.",
    params=[
        click.Argument(["config"], type=_FILE),
        _DEVICE,
        click.Option(
            ["--minutes"],
            type=click.FloatRange(min=0, min_open=True),
            metavar="N",
            help="From now; then the learning rate has fallen to zero, and all is saved.",
        ),
        _path(
            "--pictures",
            "DIR",
            "Pack these for the run, as `adamatte pack` does, and render mattes meanwhile.",
        ),
        click.Option(
            ["--bench", "benches"],
            type=_FILE,
            multiple=True,
            metavar="DIR",
            help="Export at the end, and measure there; may be given more than once.",
        ),
        *talk_options(),
    ],
    examples=[
        ("half an hour of the small network", "adamatte train lite.toml --minutes 30"),
        (
            "all of it on a bare machine",
            "adamatte train lite.toml --pictures data --minutes 10 --bench photographs",
        ),
    ],
)

pack = LaidOutCommand(
    name="pack",
    callback=_pack,
    help="Pack training pictures into one file: DATA/fg/*.webp (cut-outs with alpha), "
    "DATA/photos/*.jpg (backgrounds and textures), and procedural mattes rendered for it.",
    params=[
        click.Argument(["data"], type=_FILE),
        _path("--out", "FILE", "The .safetensors file to write.", required=True),
        number_option("--mattes", (1, 100_000), 1200, "Procedural mattes to render."),
        number_option(
            "--size", (128, 2048), 512, "Side of every picture in the bank.", metavar="PX"
        ),
        *talk_options(),
    ],
    examples=[
        (
            "render the mattes, read the pictures, once",
            "adamatte pack pictures --out banks.safetensors",
        )
    ],
)

compose = LaidOutCommand(
    name="compose",
    callback=_compose,
    help="Compose a test set, in the Composition-1k layout, of what training never sees: held-out "
    "cut-outs of DATA/fg and fresh procedural mattes, each over two held-out DATA/photos.",
    params=[
        click.Argument(["data"], type=_FILE),
        _path("--out", "DIR", "An empty or new folder.", required=True),
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

export = LaidOutCommand(
    name="export",
    callback=_export,
    help="Make weights that can be shipped out of a training run's checkpoint: half precision, "
    "with a JSON file beside them that pins their sha256. Or an ONNX file for other programs.",
    params=[
        click.Argument(["weights"], type=_FILE),
        _path("--out", "FILE", "The .safetensors file to write."),
        _path(
            "--onnx",
            "FILE",
            "Write the network as ONNX, in float32, after ONNX Runtime has given what torch gives.",
            name="onnx_file",
        ),
        *talk_options(),
    ],
    examples=[
        (
            "the running average of a run",
            "adamatte export runs/lite/average.safetensors --out lite.safetensors",
        ),
        ("the bundled network for other programs", "adamatte export lite --onnx lite.onnx"),
    ],
)

evaluate = LaidOutCommand(
    name="evaluate",
    callback=_evaluate,
    help="Measure the network, and baselines beside it, on images with known alpha: SAD, MSE, "
    "Grad, Conn, and accuracy and mIoU of the adapted trimap.",
    params=[
        _path(
            "--bench",
            "DIR",
            "DIR/<name>/image.png, alpha.png, trimap.png; or a Composition-1k or "
            "alphamatting.com folder. Several --bench, --model or --trimap make one table of all.",
            required=True,
            multiple=True,
        ),
        click.Option(
            ["--model"],
            default=("lite",),
            multiple=True,
            show_default=True,
            metavar="NAME|FILE",
            help="Bundled weights by name, or a .safetensors file.",
        ),
        _DEVICE,
        click.Option(
            ["--baselines"],
            default="",
            metavar="cf,knn",
            help="Measured beside it on the same images: closed-form, KNN, and planes: what the "
            "network starts from.",
        ),
        click.Option(
            ["--trimap"],
            default=("trimap",),
            multiple=True,
            show_default=True,
            metavar="KIND",
            help="trimap, large (any trimap-KIND.png), dilate-N: the true unknown region grown "
            "by N pixels, or erode-N: from a mask N pixels too tight.",
        ),
        _path("--json", "FILE", "Write all figures there too.", name="json_file"),
        _path("--cache", "DIR", "Keep the baselines' mattes there; they take minutes."),
        _path(
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
