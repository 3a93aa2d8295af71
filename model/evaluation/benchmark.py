"""Benchmarks on disk: this project's folders, Composition-1k, alphamatting.com.

    bench             <name>/image.png, alpha.png, trimap.png, trimap-<kind>.png
    Composition-1k    merged/<name>.png, alpha_copy/<name>.png, trimaps/<name>.png
    alphamatting.com  input_training_lowres/<name>.png, gt_training_lowres/<name>.png,
                      trimap_training_lowres/Trimap<n>/<name>.png
                      input_lowres/, trimap_lowres/Trimap<n>/ (the test set: no mattes)

Nothing is decoded before it is asked for.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.training.pictures import read_alpha, read_image, read_trimap
from plugin.errors import OutputError, RequestError, TrimapError
from plugin.types import FloatArray, LabelArray

_ALPHAMATTING_KINDS: Final = {
    "Trimap1": "trimap",
    "Trimap2": "trimap-large",
    "Trimap3": "trimap-user",
}
"""alphamatting.com's folders of small, large and user trimaps, and what they are called here."""


@dataclass(frozen=True, slots=True)
class BenchImage:
    """One image of a benchmark, by its files.

    Attributes:
        name: of the image, unique in its benchmark.
        image_file: the picture.
        alpha_file: its true matte; None where the benchmark keeps it to itself.
        trimap_files: by kind: `trimap`, `trimap-large`, ….
    """

    name: str
    image_file: Path
    alpha_file: Path | None
    trimap_files: Mapping[str, Path]

    def image(self) -> FloatArray:
        """`H × W × 3` float32 RGB within [0, 1].

        Raises:
            RequestError: the file is missing or damaged.
        """
        return read_image(self.image_file)

    def alpha(self) -> FloatArray:
        """The true matte, `H × W` float32 within [0, 1].

        Raises:
            RequestError: there is none, it is damaged, or its size is not the image's.
        """
        if self.alpha_file is None:
            raise RequestError(
                "this benchmark has no true mattes", where=self.name, fix="submit to its site"
            )
        return read_alpha(self.alpha_file)

    def trimap(self, kind: str = "trimap") -> LabelArray:
        """The trimap of that kind, `H × W` uint8 of 0, 128 and 255.

        Raises:
            TrimapError: there is none of that kind, or it is no trimap.
        """
        file = self.trimap_files.get(kind) or self.trimap_files.get(f"trimap-{kind}")
        if file is None:
            raise TrimapError(
                f"no trimap of the kind {kind!r}",
                where=self.name,
                fix=f"choose from {', '.join(sorted(self.trimap_files)) or 'nothing'}",
            )
        return read_trimap(file)


def open_benchmark(folder: Path) -> list[BenchImage]:
    """The images of a benchmark in any of the layouts, sorted by name.

    Raises:
        RequestError: the folder is missing, or holds no benchmark.
    """
    if not folder.is_dir():
        raise RequestError("no such folder", where=folder, fix="give the benchmark's folder")
    readers: tuple[Callable[[Path], list[BenchImage]], ...] = (
        read_composition_1k,
        _read_alphamatting,
        _read_bench_folders,
    )
    for read in readers:
        if images := read(folder):
            return images
    raise RequestError(
        "no benchmark found",
        where=folder,
        fix="expected <name>/image.png, or merged/ + alpha_copy/ + trimaps/, or"
        " alphamatting.com's folders",
    )


def _read_bench_folders(folder: Path) -> list[BenchImage]:
    """This project's layout; empty where no sub-folder has an `image.png`."""
    return [
        BenchImage(
            name=image.parent.name,
            image_file=image,
            alpha_file=_if_there(image.with_name("alpha.png")),
            trimap_files={file.stem: file for file in sorted(image.parent.glob("trimap*.png"))},
        )
        for image in sorted(folder.glob("*/image.png"))
    ]


def read_composition_1k(folder: Path) -> list[BenchImage]:
    """The Composition-1k test set as matting code keeps it; empty where there is no `merged/`.

    Raises:
        RequestError: an image without matte or trimap.
    """
    images = [
        BenchImage(
            name=image.stem,
            image_file=image,
            alpha_file=folder / "alpha_copy" / image.name,
            trimap_files={"trimap": folder / "trimaps" / image.name},
        )
        for image in sorted((folder / "merged").glob("*.png"))
    ]
    for image in images:
        for file in (image.alpha_file, *image.trimap_files.values()):
            if file is None or not file.is_file():
                raise RequestError(
                    "no matte or no trimap for this image", where=file, fix="complete the set"
                )
    return images


def _read_alphamatting(folder: Path) -> list[BenchImage]:
    """alphamatting.com's low-resolution training set, else its test set; empty where neither is.

    `Trimap1` becomes `trimap`, `Trimap2` `trimap-large` and `Trimap3` `trimap-user`.
    """
    for part, truths in (("training_lowres", folder / "gt_training_lowres"), ("lowres", None)):
        pictures = sorted((folder / f"input_{part}").glob("*.png"))
        if pictures:
            trimaps = folder / f"trimap_{part}"
            return [_alphamatting_image(picture, truths, trimaps) for picture in pictures]
    return []


def _alphamatting_image(picture: Path, truths: Path | None, trimaps: Path) -> BenchImage:
    files = {kind: trimaps / sub / picture.name for sub, kind in _ALPHAMATTING_KINDS.items()}
    return BenchImage(
        name=picture.stem,
        image_file=picture,
        alpha_file=_if_there(truths / picture.name) if truths else None,
        trimap_files={kind: file for kind, file in files.items() if file.is_file()},
    )


def write_bench_folders(images: Sequence[BenchImage], folder: Path) -> None:
    """Lay a benchmark out as this project's folders, with links to its files where they can be.

    Raises:
        OutputError: the folder cannot be written.
    """
    for image in images:
        files = {"image": image.image_file, **image.trimap_files}
        if image.alpha_file is not None:
            files["alpha"] = image.alpha_file
        for stem, file in files.items():
            _link(file, folder / image.name / f"{stem}.png")


def _if_there(file: Path) -> Path | None:
    return file if file.is_file() else None


def _link(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(
            f"cannot write ({error.strerror})", where=target, fix="choose another folder"
        ) from error
