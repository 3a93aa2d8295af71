"""`--learn alpha`: the network tuned to finished keys, once, the same for whoever comes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.inference.weight_files import find_weights
from plugin.driver.attempts import attempts
from plugin.driver.probe import anchored, pass_in_order, probed
from plugin.driver.run import run
from plugin.errors import Interrupted, MaskError, SurroundingsError
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.verify import verify
from plugin.types import LabelArray
from tests.jobs import alphas, creature
from tests.media import write_image
from workers.in_process import InProcessExecutor
from workers.shared_matter import SharedMatter

pytestmark = pytest.mark.slow


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    """Three frames with a finished alpha as the key of the first."""
    made = creature(tmp_path, frames=3)
    key = next(Path(str(made.mask)).parent.parent.glob("alpha/*1001*"))
    asked = {"mask": None, "segment": "track", "keyframe": (f"1001={key}",)}
    return made.model_copy(update={**asked, "learn": "alpha", "learn_minutes": 0.02})


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
    longer = shot.model_copy(update={"learn_minutes": 0.07})
    assert run(longer, executor=InProcessExecutor()).weights != before
    assert run(shot, executor=InProcessExecutor()).weights == before
    key = Path(shot.keyframes[1001])
    alpha = cv2.imread(str(key), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(key), cv2.GaussianBlur(np.asarray(alpha), (0, 0), 2))
    assert run(shot, executor=InProcessExecutor()).weights != before


class _Interrupts(QuietProgress):
    """Ends a run at a step of tuning."""

    def step(self, name: str, done: int, total: int) -> None:
        if (name, done) == ("tuning", 1):
            raise Interrupted("ended", where=f"step 1 of {total}", fix="run it again")


def test_what_was_cut_short_or_is_of_another_version_is_made_anew(shot: Shot) -> None:
    track = shot.out / "track"
    with pytest.raises(Interrupted):
        run(shot, executor=InProcessExecutor(), progress=_Interrupts())
    assert not list(track.glob("*tuned*"))
    before = run(shot, executor=InProcessExecutor()).weights
    record = track / "tuned.json"
    said = json.loads(record.read_bytes())
    # Killed between the two files; another recipe; a record of a later version; none that is read.
    for other in (None, {**said, "recipe": "0" * 64}, {**said, "more": 1}, "{"):
        record.unlink()
        if other is not None:
            record.write_text(other if isinstance(other, str) else json.dumps(other))
        (track / "tuned.safetensors").write_bytes(b"of another version")
        assert run(shot, executor=InProcessExecutor()).weights == before
        assert json.loads(record.read_bytes()) == said


def test_corrections_mattes_and_masks_beside_them_leave_the_weights(shot: Shot) -> None:
    before = run(shot, executor=InProcessExecutor()).weights
    written = _written(shot)["tuned.safetensors"]
    write_image(shot.out.parent / "hard.png", hard()[..., None])
    override = shot.out.parent / "o.json"
    rule = {"id": "wide", "frames": "1001-1003", "params": {"erode": 30, "dilate": 40}}
    plate = {"width": 96, "height": 64}
    document = {"schema": "trimap-override/1", "shot": shot.name, "plate": plate, "rules": [rule]}
    override.write_text(json.dumps(document))
    for other in (
        {"keyframe": (*shot.keyframe, f"1003={shot.out.parent / 'hard.png'}")},
        {"override": str(override)},
        {"despeckle": 30.0, "stabilise": 1},
    ):
        assert run(shot.model_copy(update=other), executor=InProcessExecutor()).weights == before
        assert _written(shot)["tuned.safetensors"] == written
    with attempts(shot) as attempt:  # as the report does, which only reads
        assert attempt(1002, None)
    assert _written(shot)["tuned.safetensors"] == written


def test_of_many_keys_some_are_learned_from(shot: Shot, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shot.keyframes[1001]).parent
    every = tuple(f"{n}={next(folder.glob(f'*{n}*'))}" for n in (1001, 1002, 1003))
    many = shot.model_copy(update={"keyframe": every})
    for most, taught in ((96 * 64 * 3, "1001-1003"), (96 * 64 * 2, "1001,1003"), (1, "1001")):
        monkeypatch.setattr("plugin.driver.tuned._PIXELS", most)
        said = run(many, executor=InProcessExecutor()).assumed
        assert said[-1] == f"the network is tuned to the finished alphas of {taught}"


def test_weights_that_are_gone_or_others_by_now_are_not_worked_with(shot: Shot) -> None:
    with probed(anchored(shot), "alpha", QuietProgress()) as (asked, plate, _):
        plan = pass_in_order(asked, plate, OutputLayout.of(shot), QuietProgress(), here=True)
    file = Path(plan.tuned)
    picture = np.zeros((64, 64, 3), np.float32), np.full((64, 64), 128, np.uint8)
    assert SharedMatter(plan)(*picture)
    file.write_bytes(find_weights("lite").path.read_bytes())
    with pytest.raises(SurroundingsError, match="weights have changed"):
        SharedMatter(plan)(*picture)
    file.unlink()
    with pytest.raises(SurroundingsError, match="weights tuned to the shot are gone"):
        SharedMatter(plan)(*picture)


def hard() -> LabelArray:
    """A mask of the creature's place, 0 and 255."""
    mask = np.zeros((64, 96), np.uint8)
    cv2.ellipse(mask, (48, 32), (20, 24), 30, 0, 360, 255, -1)
    return mask


def smooth() -> LabelArray:
    """The same as a roto shape, a pixel of softness along it."""
    large = np.zeros((640, 960), np.uint8)
    cv2.ellipse(large, (480, 320), (200, 240), 30, 0, 360, 255, -1)
    return np.asarray(cv2.resize(large, (96, 64), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("name", ["hard.png", "hard.jpg"])
def test_masks_teach_nothing(shot: Shot, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    cv2.imwrite(str(file), hard(), [cv2.IMWRITE_JPEG_QUALITY, 75])
    alone = shot.model_copy(update={"keyframe": (f"1001={file}",)})
    with pytest.raises(MaskError, match="masks without a soft edge"):
        run(alone)
    assert not shot.out.exists()
    # Beside a finished one a mask carries, as ever, and is named.
    both = shot.model_copy(update={"keyframe": (*shot.keyframe, f"1003={file}")})
    manifest = run(both, executor=InProcessExecutor())
    assert not manifest.not_done
    assert "keys without a soft edge carry, and teach the network nothing: 1003" in manifest.assumed
    assert manifest.assumed[-1] == "the network is tuned to the finished alphas of 1001"


def test_shapes_are_named(shot: Shot, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "roto.png"), smooth())
    larger = cv2.resize(cv2.resize(hard(), (24, 16)) // 255 * 255, (96, 64))
    cv2.imwrite(str(tmp_path / "larger.png"), larger)
    keys = (*shot.keyframe, f"1002={tmp_path / 'roto.png'}", f"1003={tmp_path / 'larger.png'}")
    said = run(shot.model_copy(update={"keyframe": keys}), executor=InProcessExecutor()).assumed
    about = [note.rpartition(" ")[2] for note in said if "teach it such edges" in note]
    assert about == ["1002-1003"]
    assert said[-1].endswith("the finished alphas of 1001-1003")


def test_without_keys_that_are_carried_there_is_nothing_to_learn(shot: Shot) -> None:
    given = {"segment": "mask", "mask": str(creature_mask(shot))}
    for others in ({"segment": "none"}, given):
        with pytest.raises(MaskError, match="no key frames to learn from"):
            run(shot.model_copy(update={**others, "keyframe": ()}))
        with pytest.raises(MaskError, match="no keys are carried"):
            run(shot.model_copy(update=others))
    assert not shot.out.exists()


def test_a_band_of_nothing_is_told_of(shot: Shot) -> None:
    bare = shot.model_copy(update={"band": "fixed", "erode": 0, "dilate": 0})
    with pytest.raises(MaskError, match="no key has an edge to learn from"):
        run(bare, executor=InProcessExecutor())
    assert not list((shot.out / "alpha").glob("*.exr"))


def creature_mask(shot: Shot) -> Path:
    """The pattern of the true masks."""
    folder = Path(shot.keyframes[1001]).parent.parent / "mask"
    name = next(file.name for file in folder.iterdir() if "1001" in file.name)
    return folder / name.replace("1001", "%04d")
