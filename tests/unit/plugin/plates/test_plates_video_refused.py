"""Videos that are cut, hostile or of a kind that is not read: refused, each with its reason."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from plugin.errors import PlateError
from plugin.plates import open_plate
from tests.media import (
    H264,
    Codec,
    numbered,
    write_video,
)

INTRA = Codec("mjpeg", "yuvj420p", ".mov", {"qmin": "1", "qmax": "1"}, (32, 32))


H264_AVI = Codec("libx264", "yuv420p", ".avi", {"qp": "0", "g": "12", "bf": "3"}, (32, 32))


H264_MKV = Codec("libx264", "yuv420p", ".mkv", {"qp": "0", "g": "12", "bf": "3"}, (32, 32))


VP9 = Codec("libvpx-vp9", "yuv420p", ".webm", {"lossless": "1", "g": "8"}, (32, 32))


MPEG2 = Codec("mpeg2video", "yuv420p", ".mxf", {"g": "6", "bf": "2", "qmin": "1", "qmax": "1"})


CUT = [
    (H264, {"movflags": "faststart"}, ".mp4"),
    (H264, {}, ".mp4"),
    (H264, {"movflags": "frag_keyframe+empty_moov"}, ".mp4"),
    (H264_MKV, {}, ".mkv"),
    (H264_AVI, {}, ".avi"),
    (VP9, {}, ".webm"),
    (MPEG2, {}, ".mxf"),
    (INTRA, {"movflags": "faststart"}, ".mov"),
]


@pytest.mark.parametrize("share", [0.999, 0.9, 0.5, 0.1])
@pytest.mark.parametrize(
    ("codec", "container", "suffix"), CUT, ids=[f"{c[2]}-{c[0].name}-{len(c[1])}" for c in CUT]
)
def test_a_cut_file_is_refused(
    tmp_path: Path, codec: Codec, container: dict[str, str], suffix: str, share: float
) -> None:
    rng = np.random.default_rng(1)
    noise = [
        [rng.integers(16, 235, plane.shape, np.uint8) for plane in planes]
        for planes in numbered(codec, 24)
    ]
    whole = write_video(tmp_path / f"whole{suffix}", codec, noise, container=container)
    content = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    with closing(open_plate(str(whole))) as plate:
        assert len(plate.info.frames) == 24
    with pytest.raises(PlateError, match=r"cut short|no picture can be made") as caught:
        open_plate(str(path))
    if share == 0.5 and (container.get("movflags") == "faststart" or suffix == ".mkv"):
        assert caught.value.what.startswith("the video is cut short: 1")
        assert "whole frames are there" in caught.value.what


def test_interlaced_is_refused(tmp_path: Path) -> None:
    codec = Codec("mpeg2video", "yuv420p", ".mkv", {"flags": "+ildct+ilme", "top": "1"})

    def fields(stream: av.VideoStream) -> None:
        stream.codec_context.field_order = 2

    path = write_video(tmp_path / "fields.mkv", codec, numbered(codec, 4), prepare=fields)
    with pytest.raises(PlateError, match=r"interlaced.*deinterlace"):
        open_plate(str(path))


def test_a_script_under_a_videos_name_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "secret.mp4", H264, numbered(H264, 2))
    for text in ("ffconcat version 1.0\nfile secret.mp4\n", "#EXTM3U\n#EXTINF:1,\nsecret.mp4\n"):
        script = tmp_path / "plate.mp4"
        script.write_text(text)
        with pytest.raises(PlateError, match="not a plate that is read"):
            open_plate(str(script))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/plate.mp4",
        "concat:a.mp4|b.mp4",
        "file:/etc/hostname",
        "data:video/mp4,x",
        "subfile,,start,0,end,9,,:a.mp4",
    ],
)
def test_an_address_is_refused(address: str) -> None:
    with pytest.raises(PlateError) as caught:
        open_plate(address)
    assert caught.value.exit_code == 2


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.rate, frame.pts = 48000, 0
        output.mux(stream.encode(frame))
    with pytest.raises(PlateError, match="no picture in it"):
        open_plate(str(path))


@pytest.mark.parametrize(
    ("suffix", "codec", "place", "value"),
    [
        (".mp4", H264, 0, b"\0\0\0\1ftyp\xff\xff\xff\xff\xff\xff\xff\xff"),
        (".mkv", H264_MKV, 4, b"\x01\x7f\xff\xff\xff\xff\xff\xff"),
        (".mxf", MPEG2, 16, b"\x88\xff\xff\xff\xff\xff\xff\xff\xff"),
        (".avi", H264_AVI, 4, b"\xfe\xff\xff\xff"),
    ],
)
def test_lengths_from_nowhere_are_refused(
    tmp_path: Path, suffix: str, codec: Codec, place: int, value: bytes
) -> None:
    path = write_video(tmp_path / f"a{suffix}", codec, numbered(codec, 3))
    content = bytearray(path.read_bytes())
    content[place : place + len(value)] = value
    path.write_bytes(content)
    with pytest.raises(PlateError, match=r"cut short|cannot be opened"):
        open_plate(str(path))


def test_a_codec_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mov", INTRA, numbered(INTRA, 2))
    path.write_bytes(path.read_bytes().replace(b"jpeg", b"zzzz"))
    with pytest.raises(PlateError, match="no picture can be made of its codec"):
        open_plate(str(path))
