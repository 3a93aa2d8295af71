"""`--layers`: trimaps and the network's confidence beside the alpha, in the same file."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import OpenImageIO
import pytest

from plugin.cli import main
from plugin.driver.run import run
from plugin.exr.alpha_file import read_alpha, read_layer
from plugin.framerange import FrameRange
from plugin.request.shot import Layer, Shot
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from plugin.result.verify import verify
from tests.jobs import alphas, creature
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

ALL: frozenset[Layer] = frozenset({"trimap", "adapted", "confidence"})


@pytest.fixture(scope="module", params=[0, 1], ids=["alone", "steadied"])
def shot(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Shot:
    made = creature(tmp_path_factory.mktemp("layers"), frames=3)
    changes = {"layers": ALL, "stabilise": request.param, "keep": frozenset({"trimap", "adapted"})}
    made = made.model_copy(update=changes)
    run(made, executor=InProcessExecutor())
    return made


def test_the_layers_are_what_is_kept_beside_the_alpha(shot: Shot) -> None:
    layout = OutputLayout.of(shot)
    for number in (1001, 1003):
        path = layout.alpha(number)
        for kind in ("trimap", "adapted"):
            plane = read_layer(path, kind)
            assert plane is not None
            picture = read_grey(layout.pattern(kind).path(number))
            np.testing.assert_array_equal(plane, np.round(picture / 127.5) / 2)
        sure, trimap = read_layer(path, "confidence"), read_layer(path, "trimap")
        assert sure is not None
        assert trimap is not None
        assert 0.33 < sure.min() < 0.9 < sure.max() == 1
        assert sure[trimap == 0.5].mean() < sure[trimap != 0.5].mean()
        assert read_layer(path, "depth") is None
    assert verify(shot.out).complete


def test_the_alpha_is_the_same_and_readers_find_it(shot: Shot, tmp_path: Path) -> None:
    plain = shot.model_copy(update={"layers": frozenset(), "out": tmp_path / "plain"})
    run(plain, executor=InProcessExecutor())
    assert alphas(plain) == alphas(shot)
    path = OutputLayout.of(shot).alpha(1002)
    seen = OpenImageIO.ImageBuf(str(path))
    names = set(seen.spec().channelnames)
    assert names == {*"RGBA", "trimap.A", "adapted.A", "confidence.A"}
    pixels = np.asarray(seen.get_pixels())[..., list(seen.spec().channelnames).index("A")]
    np.testing.assert_array_equal(pixels, read_alpha(path).alpha)
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
        assert (picture.width, picture.height) == (96, 64)


def test_layers_that_are_known_do_not_ask_the_network(shot: Shot, tmp_path: Path) -> None:
    """The confidence does, where it was not asked for before."""
    first = shot.model_copy(update={"layers": frozenset(), "out": tmp_path / "o"})
    run(first, executor=InProcessExecutor())
    there = first.model_copy(update={"layers": frozenset({"trimap"})})
    before = {n: OutputLayout.of(first).raw(n).stat().st_mtime_ns for n in (1001, 1002, 1003)}
    run(there, executor=InProcessExecutor())
    assert before == {n: OutputLayout.of(first).raw(n).stat().st_mtime_ns for n in before}
    run(there.model_copy(update={"layers": ALL}), executor=InProcessExecutor())
    assert before != {n: OutputLayout.of(first).raw(n).stat().st_mtime_ns for n in before}
    again = there.model_copy(update={"layers": ALL, "choke": 1.0})
    run(again, executor=InProcessExecutor())
    assert read_layer(OutputLayout.of(again).alpha(1002), "confidence") is not None


def test_what_was_asked_is_a_reason_to_write_again(shot: Shot) -> None:
    one = shot.model_copy(update={"layers": frozenset({"trimap"}), "frames": FrameRange((1002,))})
    run(one, executor=InProcessExecutor())
    layout = OutputLayout.of(one)
    assert read_layer(layout.alpha(1002), "confidence") is None
    assert read_layer(layout.alpha(1001), "confidence") is not None
    run(shot, executor=InProcessExecutor())
    assert read_layer(layout.alpha(1002), "confidence") is not None


def test_an_unknown_layer_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", str(tmp_path / "p.mov"), "--out", str(tmp_path / "o"), "--layers", "depth"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "--layers · it takes trimap, adapted, confidence" in said
