"""A card that fails takes its own worker and no frame: real Ray, the error raised where CUDA's is.

Ray is told of cards that are not there; the network runs on the CPU. See `tests.campaign.actors`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.result.verify import verify
from tests.cluster.nodes import HERE, Nodes, several_nodes
from tests.small_plate import small_shot

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(300)]

FRAMES = 120


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A machine without a card, and one that says it has three."""
    with several_nodes(tmp_path_factory.mktemp("nodes"), nodes=1, cores=1) as nodes:
        nodes.add(3, gpus=3)
        yield nodes


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory, cluster: Nodes) -> Shot:
    made = small_shot(tmp_path_factory.mktemp("cards"), range(1001, 1001 + FRAMES))
    wishes = {"workers": 3, "chunk": 4, "stabilise": 0, "address": cluster.address}
    band = {"band": "fixed", "erode": 80, "dilate": 80}  # pixels of a 1080p frame
    return made.model_copy(update={**wishes, **band})


@dataclass
class Ended:
    """What became of a job."""

    shot: Shot
    code: int
    states: Counter[str]
    notes: list[str]
    error: str


@pytest.fixture
def matte(cluster: Nodes, shot: Shot, tmp_path: Path) -> Callable[..., Ended]:
    """Does the job with an actor, on `--device cuda` or as wished, in a process of its own."""

    def ended(actor: str, **wishes: object) -> Ended:
        asked = shot.model_copy(update={"out": tmp_path / "o", "device": "cuda", **wishes})
        words = [sys.executable, "-m", "tests.campaign.job", asked.model_dump_json()]
        done = subprocess.run(
            [*words, "--actor", actor],
            cwd=HERE,
            env=cluster.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        events = [json.loads(line) for line in done.stdout.splitlines()]
        states = {event["frame"]: event["state"] for event in events if event["event"] == "frame"}
        notes = [note for event in events for note in event.get("notes", ())]
        return Ended(asked, done.returncode, Counter(states.values()), notes, done.stderr)

    return ended


def test_one_broken_card_of_three_costs_no_frame(matte: Callable[..., Ended]) -> None:
    job = matte("BrokenActor")
    assert (job.code, job.states) == (0, {"done": FRAMES}), job.error
    assert verify(job.shot.out).complete
    assert (job.shot.out.parent / "breaks").read_text()


@pytest.mark.parametrize("actor", ["AllBrokenActor", "GoneActor"])
def test_without_a_card_the_job_goes_on_where_that_was_left_open(
    matte: Callable[..., Ended], actor: str
) -> None:
    job = matte(actor, device="auto", frames="1001-1009")
    assert (job.code, job.states) == (0, {"done": 9}), job.error
    told = [note for note in job.notes if "no device is left that works" in note]
    assert len(told) == 1, (job.notes, job.error)
    assert "1001-1009" in told[0]
    assert verify(job.shot.out).complete
    records = load(OutputLayout.of(job.shot).manifest).frames.values()
    assert {record.device for record in records} == {"cpu"}


@pytest.mark.parametrize(
    ("actor", "reason"), [("AllBrokenActor", "CUDNN_STATUS"), ("GoneActor", "no CUDA device")]
)
def test_without_a_card_the_job_that_asked_for_one_ends_and_says_why(
    matte: Callable[..., Ended], actor: str, reason: str
) -> None:
    job = matte(actor)
    assert (job.code, job.states) == (4, {})
    assert "no device is left that works" in job.error
    assert reason in job.error


def test_cards_that_fail_now_and_then_cost_no_frame(matte: Callable[..., Ended]) -> None:
    job = matte("TiredActor", device="auto", frames="1001-1040")
    # One that was written while its neighbour in the worker broke the card is there already.
    assert (job.code, job.states["done"] + job.states["skipped"]) == (0, 40), job.error
    assert verify(job.shot.out).complete


def test_a_frame_at_which_every_card_fails_is_set_aside(matte: Callable[..., Ended]) -> None:
    job = matte("PoisonedCardActor", frames="1001-1020")
    assert job.states["done"] + job.states["skipped"] == 19, job.error
    assert job.states["failed"] == 1
    record = load(OutputLayout.of(job.shot).manifest).frames[1003]
    assert "it failed: CUDA error" in record.error
