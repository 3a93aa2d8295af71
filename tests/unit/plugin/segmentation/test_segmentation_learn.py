"""`learn`: a network that is taught key masks, carried through a painted shot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from model.segmenters.shot import Known, ShotLearner
from plugin.errors import FrameError, MaskError, WeightsError
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan, build, prepare, run_first
from plugin.segmentation.learn.chain import following
from plugin.segmentation.learn.own_motion import seen_beside
from plugin.segmentation.learn.thin import corrected_but_thin
from plugin.segmentation.track.chain import Link
from plugin.segmentation.track.motion import Picture
from plugin.types import FloatArray, Frame, LabelArray
from tests.unit.plugin.segmentation.test_segmentation_track import MovingPlate, overlap, shot

pytestmark = pytest.mark.slow

FEW = 3 / 200
"""Minutes of three steps: enough to see what happens, nothing is learned."""


def learning(one: Shot, minutes: float = FEW) -> Shot:
    return one.model_copy(update={"segment": "learn", "learn_minutes": minutes})


def learned(
    one: Shot, plate: MovingPlate, folder: Path, told: list[tuple[int, int]] | None = None
) -> SegmentPlan:
    plan = prepare(one, plate, lambda rgb: rgb)
    steps = [] if told is None else told
    return run_first(
        plan, one, plate, lambda rgb: rgb, folder,
        learning=lambda done, total: steps.append((done, total)),
    )  # fmt: skip


def known(plate: MovingPlate, number: int) -> Known:
    picture = np.rint(plate.read(number).rgb * 255).astype(np.uint8)
    return Known.of(seen_beside(picture, None), plate.truth(number).astype(np.float32))


def test_the_same_keys_give_the_same_weights() -> None:
    plate = MovingPlate()
    keys = [known(plate, 1001), known(plate, 1012)]
    before = torch.get_num_threads(), None
    try:
        torch.set_num_threads(1)
        first = ShotLearner.taught(keys, 3)
        torch.rand(7)  # what else draws from torch's numbers does not count
        second = ShotLearner.taught(keys, 3)
    finally:
        torch.set_num_threads(before[0])
    assert first.weights == second.weights
    assert ShotLearner.taught(keys[:1], 3).weights != first.weights
    picture, place = keys[0].picture, (60.0, 48.0, 40.0)
    again = ShotLearner.of(first.weights)
    np.testing.assert_array_equal(
        again.ask(picture, keys[0].coverage, place), first.ask(picture, keys[0].coverage, place)
    )
    with pytest.raises(WeightsError, match="no network of a shot"):
        ShotLearner.of(b"something else")


def test_the_pass_gives_the_same_network_and_masks_with_other_threads(tmp_path: Path) -> None:
    plate = MovingPlate()
    one = learning(shot(tmp_path, plate, 1001, 1009))
    before = torch.get_num_threads()
    left = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            folder = tmp_path / str(threads)
            learned(one, plate, folder)
            left.append({file.name: file.read_bytes() for file in folder.iterdir()})
    finally:
        torch.set_num_threads(before)
    assert left[0] == left[1]


def test_it_follows_a_subject_into_the_dark(tmp_path: Path) -> None:
    class Darker(MovingPlate):
        def read(self, number: int) -> Frame:
            frame = super().read(number)
            return replace(frame, rgb=frame.rgb * np.float32(1 - 0.04 * (number - 1001)))

    plate = Darker()
    plan = learned(learning(shot(tmp_path, plate, 1001), 60 / 200), plate, tmp_path / "track")
    assert min(overlap(plan, plate, number) for number in range(1002, 1015)) > 0.8


def test_a_network_is_learned_once_and_again_for_another_key(tmp_path: Path) -> None:
    plate = MovingPlate()
    one = learning(shot(tmp_path, plate, 1001, 1009))
    folder = tmp_path / "track"
    told: list[tuple[int, int]] = []
    plan = learned(one, plate, folder, told)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    network = (folder / "learned.safetensors").read_bytes()
    carried = {file.name: file.read_bytes() for file in folder.glob("*.png")}
    told.clear()
    plate.reads.clear()
    assert learned(one, plate, folder, told) == plan
    assert told == []
    assert plate.reads == []

    (folder / "track.1005.png").unlink()  # killed on the way: the network is there, not all masks
    (folder / "track.json").unlink()
    assert learned(one, plate, folder, told) == plan
    assert told == []
    assert {file.name: file.read_bytes() for file in folder.glob("*.png")} == carried

    (folder / "learned.safetensors").write_bytes(network[:-1])  # damaged: learned again, the same
    assert learned(one, plate, folder, told) == plan
    assert len(told) == 4
    assert (folder / "learned.safetensors").read_bytes() == network

    told.clear()
    mask = plate.truth(1009).astype(np.uint8) * 255
    cv2.imwrite(str(tmp_path / "key.1009.png"), cv2.dilate(mask, np.ones((5, 5), np.uint8)))
    before = build(plan, plate.info).digest(1009)
    changed = learned(one, plate, folder, told)
    assert len(told) == 4
    assert (folder / "learned.safetensors").read_bytes() != network
    assert build(changed, plate.info).digest(1009) != before


def test_what_was_carried_for_all_is_taken_for_some(tmp_path: Path) -> None:
    """As tasks of a farm do, after the one that goes first; and the other way round the same."""
    plate = MovingPlate()
    one = learning(shot(tmp_path, plate, 1004))
    learned(one, plate, tmp_path / "all")
    whole = {file.name: file.read_bytes() for file in (tmp_path / "all").glob("*.png")}
    assert len(whole) == 16
    for frames in ("1001-1002", "1012-1014", "1016"):
        part = one.model_copy(update={"frames": frames})
        plate.reads.clear()
        plan = learned(part, plate, tmp_path / "all")
        assert plate.reads == []
        build(plan, plate.info).segment(plate.read(part.frames.first if part.frames else 0))
        learned(part, plate, tmp_path / "part")
        for file in (tmp_path / "part").glob("*.png"):
            assert file.read_bytes() == whole[file.name]


def test_a_damaged_frame_beside_a_key_is_no_concern(tmp_path: Path) -> None:
    """It would say what moves; nobody asked for its matte."""

    class Damaged(MovingPlate):
        def read(self, number: int) -> Frame:
            if number in {1007, 1012}:
                raise FrameError("cannot be decoded", where=f"frame {number}", fix="copy it again")
            return super().read(number)

    plate = Damaged()
    one = learning(shot(tmp_path, plate, 1006, frames="1004-1006"))
    learned(one, plate, tmp_path / "track")
    assert len(list((tmp_path / "track").glob("*.png"))) == 3


@pytest.mark.parametrize(
    ("keyframe", "what"),
    [
        ((), "no key frames given · --segment learn"),
        (("2000=key.1001.png",), "key frames 2000 are not on the plate"),
        (("1001=nowhere.png",), "no such file"),
    ],
)
def test_bad_keys_are_refused(tmp_path: Path, keyframe: tuple[str, ...], what: str) -> None:
    plate = MovingPlate()
    one = learning(shot(tmp_path, plate, 1001)).model_copy(update={"keyframe": keyframe})
    with pytest.raises(MaskError, match=what):
        prepare(one, plate, lambda rgb: rgb)
    assert not (tmp_path / "track").exists()


@pytest.mark.timeout(300)
def test_it_sees_what_flow_loses(tmp_path: Path) -> None:
    """Past a post flow has lost the subject's outline, and the network has not."""
    plate = MovingPlate(post=(62, 104))
    one = shot(tmp_path, plate, 1001)
    plan = prepare(one, plate, lambda rgb: rgb)
    flow = run_first(plan, one, plate, lambda rgb: rgb, tmp_path / "flow")
    network = learned(learning(one, 60 / 200), plate, tmp_path / "network")
    seen = [n for n in plate.info.frames if n != 1001 and plate.truth(n).sum() > 100]
    by_flow, by_network = (
        float(np.mean([overlap(each, plate, n) for n in seen])) for each in (flow, network)
    )
    assert by_network > by_flow + 0.1


def test_thin_parts_stay_and_the_body_is_corrected() -> None:
    """A network that says nothing is there but the body, two pixels wider."""
    said = np.zeros((90, 160), np.float32)
    cv2.circle(said, (60, 45), 24, (1.0,), -1)
    cv2.line(said, (84, 45), (140, 45), (1.0,), 3)
    wider = np.zeros((90, 160), np.float32)
    cv2.circle(wider, (60, 45), 26, (1.0,), -1)

    class Wider:
        digest = "wider"

        def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:  # noqa: ARG002
            rows, columns = image.shape[:2]
            alpha = wider[:rows, 160 - columns :]
            return np.where(alpha > 0.5, 255, 0).astype(np.uint8), alpha

    link = Link(1001, said, np.zeros(said.shape, np.bool_), 0.9)
    found = corrected_but_thin(np.zeros((90, 160, 3), np.uint8), link, Wider()).coverage
    np.testing.assert_array_equal(found[44:47, 92:140], 1)
    assert found[45 - 26 : 45, 40:60].sum() > said[45 - 26 : 45, 40:60].sum()


def test_what_moves_far_from_the_subject_is_no_concern() -> None:
    """A dog that runs through: flow does not come back there, and the mask is sure of it."""

    class Agrees:
        def ask(self, picture: Picture, prior: FloatArray | None, place: object) -> FloatArray:  # noqa: ARG002
            return mask

        def search(self, picture: Picture, size: float) -> FloatArray:  # noqa: ARG002
            return mask

    mask = np.zeros((120, 320), np.float32)
    mask[40:90, 20:60] = 1
    rng = np.random.default_rng(2)
    still = rng.integers(0, 255, (120, 320, 3), np.uint8)
    pictures = [still.copy() for _ in range(3)]
    for picture in pictures:
        picture[:, 200:] = rng.integers(0, 255, (120, 120, 3), np.uint8)
    links = list(following(Agrees())(pictures[0], mask, [(1002, pictures[1]), (1003, pictures[2])]))
    assert all(link.confidence > 0.9 for link in links)
    assert not any(link.unsure[:, 120:].any() for link in links)


def test_flow_proposes_and_the_network_decides() -> None:
    """Flow sees nothing move and keeps it all; the network says that something hides a half."""

    class Halves:
        def ask(self, picture: Picture, prior: FloatArray | None, place: object) -> FloatArray:  # noqa: ARG002
            return half

        def search(self, picture: Picture, size: float) -> FloatArray:  # noqa: ARG002
            return half

    mask = np.zeros((120, 160), np.float32)
    mask[40:90, 40:100] = 1
    half = mask.copy()
    half[:, 70:] = 0.2
    still = np.random.default_rng(2).integers(0, 255, (120, 160, 3), np.uint8)
    (link,) = following(Halves())(still, mask, [(1002, still)])
    np.testing.assert_array_equal(link.coverage, half)
