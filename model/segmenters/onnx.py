"""Any segmentation or salient-object network as an ONNX file, described by a TOML file beside it.

    input_size = [320, 320]              # width, height
    mean = [0.485, 0.456, 0.406]         # of RGB within 0 to 1
    std = [0.229, 0.224, 0.225]
    activation = "minmax"                # none, sigmoid, softmax or minmax: what makes it 0 to 1

https://onnx.ai/onnx/repo-docs/IR.html
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plugin.disk.inputs import read_whole
from plugin.errors import FrameError, MaskError
from plugin.types import FloatArray

_MAX_SPEC = 64 * 1024
_MAX_NETWORK = 2 << 30
"""Bytes: what ONNX itself, a protocol buffer, can hold."""

_Side = Annotated[int, Field(ge=8, le=8192)]
_Three = tuple[float, float, float]


class OnnxSpec(BaseModel):
    """How pictures go into the network and masks come out.

    Attributes:
        input_size: width and height that the network is fed.
        mean: subtracted from RGB within 0 to 1.
        std: what the difference is divided by.
        order: of the channels.
        input: name of the network's input; empty is its first.
        output: name of its output; empty is its first.
        channel: which channel of the output is the subject.
        activation: what makes the output 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_size: tuple[_Side, _Side]
    mean: _Three = (0.0, 0.0, 0.0)
    std: tuple[
        Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]
    ] = (1.0, 1.0, 1.0)
    order: Literal["rgb", "bgr"] = "rgb"
    input: str = ""
    output: str = ""
    channel: Annotated[int, Field(ge=0, le=4096)] = 0
    activation: Literal["none", "sigmoid", "softmax", "minmax"] = "none"


def read_spec(network: Path) -> OnnxSpec:
    """The description beside a network: the same name with `.toml`.

    Raises:
        MaskError: it is missing or wrong.
    """
    path = network.with_suffix(".toml")
    try:
        content = read_whole(path, _MAX_SPEC)
        return OnnxSpec.model_validate(tomllib.loads(content.decode("utf-8")))
    except FileNotFoundError as error:
        raise MaskError(
            "the network has no description",
            where=path,
            fix="write one: input_size = [320, 320], mean, std, activation",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise MaskError(f"{key}: {first['msg']}", where=path, fix="correct it there") from error
    except (OSError, ValueError, RecursionError) as error:
        raise MaskError(f"not TOML: {error}", where=path, fix="correct it there") from error


class OnnxNetwork:
    """A network, loaded; one thread, so that its masks are the same whatever runs beside.

    Args:
        path: the ONNX file; what lies beside it is not read.
        spec: how it is fed.
        sha256: of the file as it was found; another is refused.

    Raises:
        MaskError: onnxruntime is not installed, the file is damaged, or has no such input, output.
        FrameError: the file is another than was found.
    """

    def __init__(self, path: Path, spec: OnnxSpec, sha256: str) -> None:
        self._path = path
        self._spec = spec
        self._session = _session(path, sha256)
        self._input = _named(path, "input", spec.input, self._session.get_inputs())
        self._output = _named(path, "output", spec.output, self._session.get_outputs())

    def __call__(self, rgb: FloatArray) -> FloatArray:
        """Coverage of the subject, `H × W` float32, 0 to 1.

        Args:
            rgb: display-referred, `H × W × 3`, within [0, 1].

        Raises:
            FrameError: the network fails on it, or puts out something else than a mask.
        """
        spec = self._spec
        height, width = rgb.shape[:2]
        small = cv2.resize(rgb, spec.input_size, interpolation=cv2.INTER_AREA)
        planes = (small - np.array(spec.mean)) / np.array(spec.std)
        planes = planes[..., ::-1] if spec.order == "bgr" else planes
        fed = np.ascontiguousarray(planes.transpose(2, 0, 1)[None], np.float32)
        try:
            (out,) = self._session.run([self._output], {self._input: fed})
        except Exception as error:  # onnxruntime raises its own kinds, none of them public
            what = f"the network fails: {str(error).splitlines()[0][:120]}"
            raise FrameError(what, where=self._path, fix="check input_size in its TOML") from error
        mask = self._mask(np.asarray(out, np.float32))
        grown = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.clip(np.asarray(grown, np.float32), 0, 1)

    def _mask(self, out: FloatArray) -> FloatArray:
        layers = out.reshape((-1, *out.shape[-2:])) if out.ndim >= 2 else out[None, None]
        if out.ndim < 2 or self._spec.channel >= len(layers) or not np.isfinite(layers).all():
            raise FrameError(
                f"the network puts out {out.shape}, no mask in channel {self._spec.channel}",
                where=self._path,
                fix="name output and channel in its TOML",
            )
        mask: FloatArray = layers[self._spec.channel]
        match self._spec.activation:
            case "sigmoid":
                mask = np.asarray(1 / (1 + np.exp(-np.clip(mask, -40, 40))), np.float32)
            case "softmax":
                weights = np.exp(layers - layers.max(axis=0))
                mask = weights[self._spec.channel] / weights.sum(axis=0)
            case "minmax":
                mask = np.asarray((mask - mask.min()) / max(float(np.ptp(mask)), 1e-6), np.float32)
            case "none":
                pass
        return np.ascontiguousarray(mask, np.float32)


def _session(path: Path, sha256: str) -> Any:  # noqa: ANN401  of an optional package
    try:
        import onnxruntime
    except ImportError as error:
        raise MaskError(
            "onnxruntime is not installed",
            where="--segment onnx",
            fix="pip install 'adamatte[onnx]'",
        ) from error
    try:
        content = read_whole(path, _MAX_NETWORK)
    except OSError as error:
        what = f"the network cannot be read: {error.strerror or error}"
        raise MaskError(what, where=path, fix="check path and rights") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FrameError("the network has changed", where=path, fix="start the job again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is told once, as an error of ours
    try:
        return onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises its own kinds, none of them public
        what = f"not an ONNX network: {str(error).splitlines()[0][:120]}"
        raise MaskError(what, where=path, fix="export it again") from error


def _named(path: Path, kind: str, wanted: str, there: list[Any]) -> str:
    names = [str(node.name) for node in there]
    if wanted and wanted not in names:
        raise MaskError(
            f"the network has no {kind} {wanted!r}", where=path, fix=f"one of {', '.join(names)}"
        )
    if not names:
        raise MaskError(f"the network has no {kind}", where=path, fix="export it again")
    return wanted or names[0]
