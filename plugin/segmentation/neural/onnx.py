"""`onnx`: whatever segmentation network the user has, as an ONNX file with a TOML beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue

from plugin.errors import FrameError, MaskError, told_as
from plugin.plates.companions.pictures import digest_of
from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings, asked_frames
from plugin.types import FloatArray, Frame, Mask, PlateInfo, Segmenter


class OnnxSettings(Settings, method="onnx"):
    """Which network, and how it is fed.

    Attributes:
        path: the ONNX file; absolute.
        sha256: of that file.
        spec: what its TOML says, as `model.segmenters.onnx.OnnxSpec`.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"path"})

    path: str
    sha256: str
    spec: dict[str, JsonValue]


class OnnxSegmenter:
    """Asks the network about each frame by itself."""

    def __init__(self, settings: OnnxSettings) -> None:
        self._settings = settings
        self._network: Callable[[FloatArray], FloatArray] | None = None

    def segment(self, frame: Frame) -> Mask:
        """The network's mask; unsure where it is neither 0 nor 1, as any soft mask.

        Raises:
            FrameError: the network is gone, has changed, or fails.
        """
        coverage = self._opened()(frame.rgb)
        sure = abs(coverage - 0.5) * 2
        return Mask(frame.number, coverage, confidence=float(sure.mean()))

    def digest(self, number: int) -> str:  # noqa: ARG002  the same for every frame
        """sha256 of the network and of how it is fed."""
        return self._settings.digest("onnx")

    def _opened(self) -> Callable[[FloatArray], FloatArray]:
        if self._network is None:
            from model.segmenters.onnx import OnnxNetwork, OnnxSpec

            spec = OnnxSpec.model_validate(self._settings.spec)
            self._network = OnnxNetwork(Path(self._settings.path), spec, self._settings.sha256)
        return self._network


@told_as(MaskError)
def _prepare(request: Request) -> SegmentPlan:
    from model.segmenters.onnx import read_spec

    shot, plate = request.shot, request.plate
    if shot.segment_model is None:
        raise MaskError(
            "no network given", where="--segment onnx", fix="name it: --segment-model NET.onnx"
        )
    path = Path(shot.segment_model).absolute()
    settings = OnnxSettings(
        path=str(path),
        sha256=digest_of(path),
        spec=read_spec(path).model_dump(mode="json"),
    )
    asked = asked_frames(shot, plate.info)
    if asked:  # a network that fails does so before the work, not on every frame
        frame = plate.read(asked.first)
        with told_as(MaskError, of=FrameError):
            OnnxSegmenter(settings).segment(Frame(frame.number, request.to_display(frame.rgb)))
    return SegmentPlan(
        method="onnx",
        settings=settings,
        reason=f"onnx: {path.name}, sha256 {settings.sha256[:12]}",
    )


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:  # noqa: ARG001
    return OnnxSegmenter(plan.of(OnnxSettings))


ONNX = Method(_prepare, _build, needs="--segment onnx --segment-model NET.onnx: a network of yours")
