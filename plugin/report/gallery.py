"""`Gallery`: the pictures of a result's frames, small and full, from what is on disk."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np

from plugin.colour.display import display_transform
from plugin.disk.atomic import write_whole
from plugin.errors import AdaMatteError, FrameError, OutputError
from plugin.exr.alpha_file import AlphaFile, read_alpha
from plugin.plates import plate_of, settle
from plugin.report.sprites import SpriteForm, scan_sprites, straight, tiles_of, write_sprite
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest
from plugin.types import FloatArray, LabelArray, PlateSource

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
_WHOLE = [*_JPEG, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]


class Gallery:
    """Finds sprites, makes those that are missing, and makes full-size pictures.

    The plate is opened when it is first needed; where it is gone, pictures come without it.
    """

    def __init__(self, out: Path, manifest: Manifest) -> None:
        self.out = out
        self._manifest = manifest
        self._layout = OutputLayout(out, manifest.shot.name)
        self._window = manifest.plate.data_window
        self._plate: PlateSource | None = None
        self._to_display: Callable[[FloatArray], FloatArray] | None = None
        self._looked = False
        frames = manifest.plate.frames
        self.form = SpriteForm.of(len(frames))
        self._sprites = scan_sprites(out)

    def close(self) -> None:
        """Give back the plate's files."""
        if self._plate is not None:
            self._plate.close()

    def sprite(self, number: int) -> Path | None:
        """The sprite of a frame's present matte; None where there is none yet."""
        return self._sprites.get((number, self._digest(number)[:16]))

    def make_sprite(self, number: int) -> Path:
        """Make the sprite of a frame from its files.

        Raises:
            FrameError: its alpha cannot be read.
            OutputError: the disk refuses.
        """
        stored = read_alpha(self._layout.alpha(number))
        tiles = tiles_of(
            *(self.plate(number), self._on_canvas(stored.alpha, stored), self.form.side),
            trimap=self._kept("trimap", number),
            adapted=self._kept("adapted", number),
            colours=self._colours(stored),
        )
        path = write_sprite(self.out, number, self._digest(number), tiles, self.form)
        self._sprites[number, self._digest(number)[:16]] = path
        return path

    def write_full(self, number: int, folder: Path) -> dict[str, Path]:
        """Write the full-size pictures of a frame.

        Args:
            number: the frame.
            folder: where; its files are named `<number>.<digest>.<kind>.jpg` or `.png`.

        Returns:
            The files by kind, those that were there already included.

        Raises:
            FrameError: its alpha cannot be read.
            OutputError: the disk refuses.
        """
        before = self.full(number, folder)
        if "alpha" in before:
            return before
        stored = read_alpha(self._layout.alpha(number))
        pictures: dict[str, FloatArray | LabelArray | None] = {
            "plate": self.plate(number),
            "trimap": self._kept("trimap", number),
            "adapted": self._kept("adapted", number),
            "colours": self._colours(stored),
            "alpha": self._on_canvas(stored.alpha, stored),  # last: where it is, all are
        }
        values = folder / self._full_name(number, "values")
        write_values(values, pictures, self.out)
        for kind, picture in pictures.items():
            if picture is not None:
                write_picture(folder / self._full_name(number, kind), picture, self.out)
        return self.full(number, folder)

    def full(self, number: int, folder: Path) -> dict[str, Path]:
        """The full-size pictures that are there, of the frame's present matte."""
        kinds = ("plate", "trimap", "adapted", "colours", "alpha", "values")
        named = {kind: folder / self._full_name(number, kind) for kind in kinds}
        return {kind: path for kind, path in named.items() if path.is_file()}

    def plate(self, number: int) -> FloatArray | None:
        """A frame of the plate, display-referred; None where it is not to be had."""
        if not self._looked:
            self._looked = True
            with suppress(AdaMatteError, OSError):
                self._open()
        if self._plate is None or self._to_display is None:
            return None
        try:
            return self._to_display(self._plate.read(number).rgb)
        except FrameError:
            return None

    def alpha(self, number: int) -> FloatArray:
        """The matte on the plate's window, `H × W`.

        Raises:
            FrameError: it cannot be read.
        """
        stored = read_alpha(self._layout.alpha(number))
        return self._on_canvas(stored.alpha, stored)

    def _open(self) -> None:
        shot = self._manifest.shot
        alike = not shot.in_colour
        plate = plate_of(shot, known=self._manifest.plate.sum, one_colour=alike)
        if plate.info.data_window != self._window:  # windows that move: all on one canvas
            settle(plate, self._window, one_colour=alike)
        self._plate = plate
        self._to_display = display_transform(plate.info, shot.in_colour)

    def _digest(self, number: int) -> str:
        record = self._manifest.frames.get(number)
        return record.digest if record is not None and record.digest else "0" * 16

    def _full_name(self, number: int, kind: str) -> str:
        suffix = {"plate": "jpg", "colours": "jpg", "values": "js"}.get(kind, "png")
        return f"{number}.{self._digest(number)[:16]}.{kind}.{suffix}"

    def _kept(self, kind: str, number: int) -> LabelArray | None:
        path = self._layout.pattern(kind).path(number)
        try:
            labels = read_grey(path) if path.is_file() else None
        except FrameError:
            return None
        fits = labels is not None and labels.shape == (self._window.height, self._window.width)
        return labels if fits else None

    def _on_canvas(self, part: FloatArray, stored: AlphaFile) -> FloatArray:
        if stored.data_window == self._window:
            return part
        canvas = np.zeros((self._window.height, self._window.width, *part.shape[2:]), np.float32)
        canvas[self._window.area_of(stored.data_window)] = part
        return canvas

    def _colours(self, stored: AlphaFile) -> FloatArray | None:
        if stored.foreground is None or self._to_display is None:
            return None
        seen = straight(stored.foreground, stored.alpha, self._to_display)
        return self._on_canvas(seen, stored)


def write_values(
    path: Path, pictures: Mapping[str, FloatArray | LabelArray | None], root: Path
) -> None:
    """Write a frame's pixels as a script, from which a page on disk may read them.

    Alpha is in 16 bits, its high byte red, its low one green; blue is three times the trimap's
    class and the adapted one's, 9 where they are not known.

    Raises:
        OutputError: it cannot be encoded, or the disk refuses.
    """
    plate, alpha = pictures.get("plate"), pictures.get("alpha")
    if alpha is None:
        return
    levels = np.rint(np.clip(alpha, 0, 1) * 65535).astype(np.uint16)
    classes = np.full(levels.shape, 9, np.uint8)
    trimap, adapted = pictures.get("trimap"), pictures.get("adapted")
    if trimap is not None and adapted is not None:
        classes = np.rint(trimap / 127.5 * 3 + adapted / 127.5).astype(np.uint8)
    packed = np.dstack([levels >> 8, levels & 255, classes]).astype(np.uint8)
    held = {"alpha": f"data:image/png;base64,{_base64('.png', packed, _PNG)}"}
    if plate is not None:
        seen = np.rint(np.clip(plate, 0, 1) * 255).astype(np.uint8)
        held["plate"] = f"data:image/jpeg;base64,{_base64('.jpg', seen, _WHOLE)}"
    name = f"{path.parent.name}/{path.name}"
    text = f"Readout.take({json.dumps(name)}, {json.dumps(held)});\n"
    write_whole(path, text.encode(), durable=False, root=root)


def _base64(suffix: str, picture: LabelArray, how: list[int]) -> str:
    done, data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), how)
    if not done:
        raise OutputError("the picture cannot be encoded", where=suffix, fix="report it")
    return base64.b64encode(data.tobytes()).decode()


def write_picture(path: Path, picture: FloatArray | LabelArray, root: Path) -> None:
    """Write 8 bits: JPEG without subsampled colour, or PNG, as the name says.

    Raises:
        OutputError: it cannot be encoded, or the disk refuses.
    """
    levels = picture
    if picture.dtype != np.uint8:
        levels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    shown = levels[..., ::-1] if levels.ndim == 3 else levels
    how = _WHOLE if path.suffix == ".jpg" else _PNG
    try:
        done, data = cv2.imencode(path.suffix, np.ascontiguousarray(shown), how)
    except cv2.error:
        done = False
    if not done:
        fix = "the report goes on without it"
        raise OutputError("the picture cannot be encoded", where=path, fix=fix)
    write_whole(path, data.tobytes(), durable=False, root=root)


@contextmanager
def opened(out: Path, manifest: Manifest) -> Iterator[Gallery]:
    """A gallery that is closed again."""
    gallery = Gallery(out, manifest)
    try:
        yield gallery
    finally:
        gallery.close()
