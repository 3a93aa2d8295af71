"""`--learn alpha`: the network tuned to finished keys, once, the same for whoever comes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.driver.run import run
from plugin.errors import MaskError
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.verify import verify
from tests.jobs import alphas, creature
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    """Three frames with a finished alpha as the key of the first."""
    made = creature(tmp_path, frames=3)
    key = next(Path(str(made.mask)).parent.parent.glob("alpha/*1001*"))
    asked = {"mask": None, "segment": "track", "keyframe": (f"1001={key}",)}
    return made.model_copy(update={**asked, "learn": "alpha", "learn_minutes": 0.07})


def _written(shot: Shot) -> dict[str, int]:
    files = [*(shot.out / "alpha").iterdir(), shot.out / "track/tuned.safetensors"]
    return {file.name: file.stat().st_mtime_ns for file in files}


def test_frames_are_of_the_tuned_network_and_of_one_only(shot: Shot) -> None:
    manifest = run(shot, executor=InProcessExecutor())
    file = shot.out / "track/tuned.safetensors"
    assert manifest.weights == hashlib.sha256(file.read_bytes()).hexdigest()
    mattes, written = alphas(shot), _written(shot)
    assert verify(shot.out).complete
    assert run(shot, executor=InProcessExecutor()).weights == manifest.weights
    assert _written(shot) == written, "a second run finds all done"
    # One frame by itself, as a task of a farm does it: it finds what was taught.
    for path in (shot.out / "alpha").iterdir():
        path.unlink()
    few = shot.model_copy(update={"frames": FrameRange.parse("1002")})
    assert run(few, executor=InProcessExecutor()).weights == manifest.weights
    assert _written(shot)[file.name] == written[file.name]
    assert alphas(few) == {1002: mattes[1002]}
    plain = shot.model_copy(update={"learn": "off", "out": shot.out.parent / "plain"})
    assert run(plain, executor=InProcessExecutor()).weights != manifest.weights
    assert alphas(plain)[1002] != mattes[1002]


def test_other_keys_or_more_minutes_are_other_weights(shot: Shot) -> None:
    before = run(shot, executor=InProcessExecutor()).weights
    longer = shot.model_copy(update={"learn_minutes": 0.1})
    assert run(longer, executor=InProcessExecutor()).weights != before
    damaged = shot.out / "track/tuned.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-7])
    assert run(shot, executor=InProcessExecutor()).weights == before
    key = Path(shot.keyframes[1001])
    alpha = cv2.imread(str(key), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(key), cv2.GaussianBlur(np.asarray(alpha), (0, 0), 2))
    assert run(shot, executor=InProcessExecutor()).weights != before


def test_what_is_no_finished_alpha_teaches_nothing(shot: Shot, tmp_path: Path) -> None:
    hard = tmp_path / "hard.png"
    mask = np.zeros((64, 96), np.uint8)
    mask[12:52, 30:66] = 255
    cv2.imwrite(str(hard), mask)
    alone = shot.model_copy(update={"keyframe": (f"1001={hard}",)})
    with pytest.raises(MaskError, match="masks without a soft edge"):
        run(alone)
    for others in ({"segment": "none"}, {"segment": "mask", "mask": str(hard)}):
        with pytest.raises(MaskError, match="no key frames to learn from"):
            run(shot.model_copy(update={**others, "keyframe": ()}))
    assert not shot.out.exists()
    # Beside a finished one a mask carries, as ever.
    both = shot.model_copy(update={"keyframe": (*shot.keyframe, f"1003={hard}")})
    assert not run(both, executor=InProcessExecutor()).not_done
