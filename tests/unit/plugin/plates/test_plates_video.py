"""Videos: a frame is its number, whatever the order, and what is not whole is refused."""

from __future__ import annotations

import hashlib
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from plugin.errors import FrameError, PlateError
from plugin.framerange import FrameRange
from plugin.plates import check_frames, open_plate, plate_sum
from plugin.plates.images.sequence import SequencePlate
from plugin.plates.video.index import FrameIndex
from plugin.plates.video.plate import VideoPlate
from tests.media import (
    H264,
    LOSSLESS,
    Codec,
    flat_planes,
    numbered,
    place_of,
    shared,
    write_video,
)

INTRA = Codec("mjpeg", "yuvj420p", ".mov", {"qmin": "1", "qmax": "1"}, (32, 32))
H264_AVI = Codec("libx264", "yuv420p", ".avi", {"qp": "0", "g": "12", "bf": "3"}, (32, 32))
H264_MKV = Codec("libx264", "yuv420p", ".mkv", {"qp": "0", "g": "12", "bf": "3"}, (32, 32))
OPEN_GOP = Codec(
    "libx264",
    "yuv420p",
    ".mkv",
    {"qp": "0", "g": "8", "bf": "3", "x264opts": "open-gop=1"},
    (32, 32),
)
H265 = Codec("libx265", "yuv420p", ".mp4", {"x265-params": "lossless=1:keyint=8:log-level=none"})
VP9 = Codec("libvpx-vp9", "yuv420p", ".webm", {"lossless": "1", "g": "8"}, (32, 32))
VP8 = Codec("libvpx", "yuv420p", ".webm", {"auto-alt-ref": "1", "lag-in-frames": "8"}, (32, 32))
MPEG2 = Codec("mpeg2video", "yuv420p", ".mxf", {"g": "6", "bf": "2", "qmin": "1", "qmax": "1"})

ORDERS = [5, 4, 30, 31, 0, 17, 17, 39, 12, 11, 13, 24, 23]


@pytest.mark.parametrize(
    "codec", [H264, H264_MKV, H264_AVI, OPEN_GOP, H265, VP9, VP8, MPEG2], ids=str
)
def test_any_order_gives_the_frame_of_that_number(tmp_path: Path, codec: Codec) -> None:
    path = write_video(tmp_path / f"plate{codec.suffix}", codec, numbered(codec, 40))
    with closing(open_plate(str(path))) as plate:
        assert plate.info.frames == FrameRange.span(1001, 1040)
        forward = {number: plate.read(number).rgb for number in plate.info.frames}
        for place in ORDERS:
            assert np.array_equal(plate.read(1001 + place).rgb, forward[1001 + place])
    assert [place_of(rgb) for rgb in forward.values()] == list(range(40))


def test_a_second_plate_from_the_middle_reads_the_same(tmp_path: Path) -> None:
    path = write_video(tmp_path / "plate.mp4", H264, numbered(H264, 30))
    with closing(open_plate(str(path), start_frame=1)) as plate:
        assert plate.info.frames == FrameRange.span(1, 30)
        assert [place_of(plate.read(number).rgb) for number in (20, 21, 22, 8)] == [19, 20, 21, 7]


def test_variable_rate_is_told_apart_by_times(tmp_path: Path) -> None:
    times = [0, 3, 4, 9, 10, 11, 20, 21]
    path = write_video(tmp_path / "vfr.mkv", H264_MKV, numbered(H264_MKV, 8), times=times)
    with closing(open_plate(str(path))) as plate:
        assert len(plate.info.frames) == 8
        assert any("variable frame rate" in note for note in plate.info.notes)
        assert [place_of(plate.read(n).rgb) for n in (1008, 1003, 1006)] == [7, 2, 5]


def test_an_edit_list_hides_frames(tmp_path: Path) -> None:
    # A cut in the middle of a group, as phones and editors write it: negative times are hidden.
    whole = write_video(tmp_path / "whole.mp4", H264, numbered(H264, 30))
    path = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                assert packet.pts is not None
                assert packet.dts is not None
                shift = round(Fraction(5, 24) / (packet.time_base or 1))
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                target.mux(packet)
    with closing(open_plate(str(path))) as plate:
        first = place_of(plate.read(1001).rgb)
        assert first == 5
        assert [place_of(plate.read(n).rgb) for n in plate.info.frames] == list(range(5, 30))


def test_timecode_and_rate(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "plate.mov", INTRA, numbered(INTRA, 3), metadata={"timecode": "10:00:59:23"}
    )
    with closing(open_plate(str(path))) as plate:
        assert plate.info.timecode == "10:00:59:23"
        assert plate.info.rate == 24
        assert [plate.read(n).timecode for n in (1001, 1002, 1003)] == [
            "10:00:59:23",
            "10:01:00:00",
            "10:01:00:01",
        ]


@pytest.mark.parametrize(
    ("degrees", "flip", "turn"),
    [
        (0, False, lambda a: a),
        (90, False, lambda a: np.rot90(a, 1)),
        (-90, False, lambda a: np.rot90(a, -1)),
        (180, False, lambda a: np.rot90(a, 2)),
        (0, True, lambda a: a[:, ::-1]),
    ],
    ids=["none", "left", "right", "half", "mirror"],
)
def test_the_display_matrix_is_applied(
    tmp_path: Path, degrees: int, flip: bool, turn: object
) -> None:
    picture = np.arange(48 * 64, dtype=np.int64).reshape(48, 64) % 251
    planes = [picture.astype(np.uint8)] * 3
    codec = Codec("png", "gray", ".mov")

    def rotate(stream: av.VideoStream) -> None:
        stream.set_display_rotation(degrees, hflip=flip)

    path = write_video(tmp_path / "turned.mov", codec, [planes[:1]], prepare=rotate)
    with closing(open_plate(str(path))) as plate:
        stored = (planes[0] / np.float32(255)).astype(np.float32)
        wanted = turn(stored)  # type: ignore[operator]
        seen = plate.read(1001).rgb[:, :, 0]
        assert (plate.info.height, plate.info.width) == wanted.shape
        assert bool(plate.info.notes and "matrix asks" in plate.info.notes[-1]) == (
            degrees != 0 or flip
        )
        assert np.array_equal(seen, wanted)


def test_digest_is_of_the_file_and_the_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "plate.mp4", H264, numbered(H264, 3))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with closing(open_plate(str(path))) as plate:
        assert plate.info.digest == ""
        known = plate_sum(plate)
        assert known is not None
        assert known.sha256 == digest
        assert plate.info.digest == digest
        one, two = plate.digest(1001), plate.digest(1002)
    with closing(open_plate(str(path), known=known)) as plate:
        path.unlink()
        assert (plate.digest(1001), plate.digest(1002)) == (one, two)
    assert one != two


def test_a_frame_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write_video(tmp_path / "plate.mp4", H264, numbered(H264, 3))
    with closing(open_plate(str(path))) as plate:
        with pytest.raises(FrameError, match=r"no such frame.*frame 1004.*1001-1003"):
            plate.read(1004)
        with pytest.raises(PlateError, match=r"2 frames are missing: 1000,1004"):
            check_frames(plate, FrameRange.of([1000, 1001, 1004]))
        check_frames(plate, plate.info.frames)


def test_a_damaged_frame_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    codec = Codec("prores_ks", "yuv422p10le", ".mov", {}, (64, 48))
    path = write_video(
        tmp_path / "plate.mov", codec, [flat_planes(codec.pixels, codec.size, (400, 512, 512))] * 6
    )
    content = bytearray(path.read_bytes())
    frames = [at for at in range(len(content)) if content[at : at + 4] == b"icpf"]
    content[frames[2] : frames[2] + 40] = b"\xff" * 40
    path.write_bytes(content)
    with closing(open_plate(str(path))) as plate:
        for number in (1001, 1002, 1004, 1005, 1006):
            assert plate.read(number).rgb.shape == (48, 64, 3)
        for _ in range(2):
            with pytest.raises(FrameError, match=r"cannot be decoded.*frame 1003"):
                plate.read(1003)
        assert plate.read(1004).rgb.shape == (48, 64, 3)


def test_rgb_video_is_exact(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    planes = [rng.integers(0, 4096, (48, 64), np.uint16) for _ in range(3)]
    path = write_video(tmp_path / "plate.mkv", LOSSLESS, [planes])
    with closing(open_plate(str(path))) as plate:
        green, blue, red = planes
        assert np.array_equal(
            plate.read(1001).rgb, np.stack([red, green, blue], 2) / np.float32(4095)
        )


def test_video_and_image_are_told_apart_by_content(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", H264, numbered(H264, 2)).rename(tmp_path / "a.exr")
    with closing(open_plate(str(video))) as plate:
        assert isinstance(plate, VideoPlate)
    with closing(open_plate(str(shared("video/walk_in/clean_plate.png")))) as image:
        assert isinstance(image, SequencePlate)


def test_the_shared_clips_are_whole() -> None:
    for name, count in (("dog", 120), ("coffee", 72), ("man_lime", 90)):
        with closing(open_plate(str(shared(f"video/{name}/plate.mp4")))) as plate:
            assert len(plate.info.frames) == count
            frame = plate.read(plate.info.frames.last)
            assert frame.rgb.dtype == np.float32
            assert 0 <= frame.rgb.min() < frame.rgb.max() <= 1


def test_the_sample_table_says_what_the_packets_say(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "plate.mov", INTRA, numbered(INTRA, 9), times=[0, 1, 2, 5, 6, 9, 10, 11, 30]
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        table = FrameIndex.of_table(stream)
        packets = FrameIndex.of(container.demux(stream), "mjpeg")
    assert table.times == packets.times
    assert [entry.end for entry in table.entries] == [entry.end for entry in packets.entries]
    fragments = write_video(
        tmp_path / "fragments.mov",
        INTRA,
        numbered(INTRA, 9),
        container={"movflags": "frag_every_frame"},
    )
    for video in (path, fragments):
        with closing(open_plate(str(video))) as plate:
            luma = [float(plate.read(number).rgb.mean()) * 255 for number in plate.info.frames]
        assert np.allclose(luma, 16 + 2 * np.arange(9), atol=0.6)
