"""`adamatte pack`, `train`, `export`: what makes the network."""

from collections.abc import Callable
from pathlib import Path

import click

from plugin.cli.help_page import (
    FILE,
    LaidOutCommand,
    device_option,
    file_option,
    number_option,
    option,
    talk_options,
)
from plugin.cli.saying import say
from plugin.errors import ShotError


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
        from model.evaluation.evaluate import measure_run

        measure_run(config, benches, report)


def _pack(data: Path, out: Path, mattes: int, size: int, **_talk: object) -> None:
    from model.training.banks import pack as pack_banks

    pack_banks(data, out, size=size, mattes=mattes)


def _export(
    weights: tuple[Path, ...],
    out: Path | None,
    onnx_file: Path | None,
    quiet: bool,
    **_talk: object,
) -> None:
    if out is None and onnx_file is None:
        raise ShotError(
            "nothing to write", where="adamatte export", fix="give --out FILE or --onnx FILE"
        )
    if onnx_file is not None and len(weights) > 1:
        raise ShotError(
            "a mean of weights has no ONNX file",
            where="adamatte export --onnx",
            fix="export the mean with --out first, then name that",
        )
    tell = (lambda _line: None) if quiet else say
    if out is not None:
        from model.export.weights import export_weights

        written = export_weights(weights, out)
        tell(f"{written.path}  sha256 {written.sha256}")
    if onnx_file is not None:
        from model.export.onnx_file import export_onnx

        made = export_onnx(weights[0], onnx_file)
        tell(f"{made.path}  differs from torch by at most {made.difference:.1e}")


train = LaidOutCommand(
    name="train",
    callback=_train,
    help="Train AdaMatting as CONFIG says; goes on where an earlier run of it stopped.\n\n"
    "CONFIG is a TOML file; model/configs has examples. The pictures are packed once with "
    "`adamatte pack`. Checkpoints and a log in JSON lines go to its `out` folder.",
    params=[
        click.Argument(["config"], type=FILE),
        device_option(),
        option(
            "--minutes N",
            "From now; then the learning rate has fallen to zero, and all is saved.",
            type=click.FloatRange(min=0, min_open=True),
        ),
        file_option(
            "--pictures",
            "DIR",
            "Pack these for the run, as `adamatte pack` does, and render mattes meanwhile.",
        ),
        file_option(
            "--bench",
            "DIR",
            "Export at the end, and measure there; may be given more than once.",
            name="benches",
            multiple=True,
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
        click.Argument(["data"], type=FILE),
        file_option("--out", "FILE", "The .safetensors file to write.", required=True),
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

export = LaidOutCommand(
    name="export",
    callback=_export,
    help="Make weights that can be shipped out of a training run's checkpoint: half precision, "
    "with a JSON file beside them that pins their sha256; of several weights of one network their "
    "mean. Or an ONNX file for other programs.",
    params=[
        click.Argument(["weights"], type=FILE, nargs=-1, required=True),
        file_option("--out", "FILE", "The .safetensors file to write."),
        file_option(
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
        (
            "the mean of two stretches, the second counted twice",
            "adamatte export a.safetensors b.safetensors b.safetensors --out lite.safetensors",
        ),
        ("the bundled network for other programs", "adamatte export lite --onnx lite.onnx"),
    ],
)
