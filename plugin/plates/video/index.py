"""Which frames a video holds, from one pass over its packets, and where decoding has to start.

Nothing is decoded here. Times are presentation times in ticks of the stream's time base; edit
lists, B-frames and negative decode times are the demuxer's, which marks what is not shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from av.packet import Packet
from av.video.stream import VideoStream

_VP8_SHOWN = 0x10
"""Bit of a VP8 packet's first byte: this frame is shown (RFC 6386, 9.1)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One packet, in decode order.

    Attributes:
        pts: when its frame is shown; None where the container does not say.
        dts: when it is decoded; what containers seek by.
        key: decoding can start here.
        shown: False where an edit list or the codec hides the frame.
        end: the byte after the packet, 0 where unknown.
        duration: ticks, 0 where unknown.
    """

    pts: int | None
    dts: int | None
    key: bool
    shown: bool
    end: int
    duration: int


@dataclass(frozen=True)
class FrameIndex:
    """Packets in decode order, frames in presentation order.

    Attributes:
        entries: every packet of the stream that holds data.
        timed: frames are told apart by their times. False where times are missing or repeat, as
            for H.264 in AVI: then a frame is its count from the start of the file.
    """

    entries: tuple[Entry, ...]
    timed: bool

    @classmethod
    def of(cls, packets: Iterable[Packet[VideoStream]], codec: str) -> FrameIndex:
        """Read all packets of one stream."""
        entries = tuple(_entry(packet, codec) for packet in packets if packet.size)
        times = [entry.pts for entry in entries if entry.shown]
        return cls(entries, timed=None not in times and len(set(times)) == len(times))

    @classmethod
    def of_table(cls, stream: VideoStream) -> FrameIndex:
        """From the sample table that a mov carries, its media unread.

        Only for codecs without B-frames: the table's times are those of decoding. It saves reading
        hundreds of gigabytes of ProRes through to know where its frames are.
        """
        entries = tuple(
            Entry(e.timestamp, e.timestamp, e.is_keyframe, not e.is_discard, e.pos + e.size, 0)
            for e in stream.index_entries
            if e.size
        )
        times = [entry.pts for entry in entries if entry.shown]
        return cls(entries, timed=len(set(times)) == len(times))

    @cached_property
    def times(self) -> tuple[int, ...]:
        """Presentation time of every frame, ascending; counts from 0 where not `timed`."""
        if not self.timed:
            return tuple(range(sum(entry.shown for entry in self.entries)))
        return tuple(sorted(e.pts for e in self.entries if e.shown and e.pts is not None))

    @cached_property
    def _position_of(self) -> dict[int, int]:
        return {e.pts: i for i, e in enumerate(self.entries) if e.shown and e.pts is not None}

    @cached_property
    def _keys(self) -> list[int]:
        return [position for position, entry in enumerate(self.entries) if entry.key]

    @cached_property
    def _packet_of(self) -> dict[int | None, int]:
        return {e.pts: i for i, e in reversed(tuple(enumerate(self.entries)))}

    def packet_position(self, pts: int | None) -> int | None:
        """Decode position of the packet with that time; None where there is none."""
        return None if pts is None else self._packet_of.get(pts)

    def position(self, time: int) -> int:
        """Decode position of the frame shown at `time`."""
        return self._position_of[time] if self.timed else time

    def start(self, time: int) -> int:
        """Decode position of the last key packet from which the frame at `time` comes out whole.

        A frame decoded after a key packet but shown before it belongs to the group before (an open
        group of pictures), so the key packet must be shown at or before `time` too. 0 where there
        is none, or where frames are counted.
        """
        if not self.timed:
            return 0
        candidate = bisect_right(self._keys, self.position(time)) - 1
        while candidate >= 0:
            shown_at = self.entries[self._keys[candidate]].pts
            if shown_at is not None and shown_at <= time:
                return self._keys[candidate]
            candidate -= 1
        return 0

    def from_time(self, time: int) -> FrameIndex:
        """Without the frames before `time`: leading pictures that refer to what was cut away."""
        entries = tuple(
            e if e.pts is None or e.pts >= time else Entry(e.pts, e.dts, e.key, False, e.end, 0)
            for e in self.entries
        )
        return FrameIndex(entries, self.timed)

    @property
    def steady(self) -> bool:
        """Whether all frames last equally long, give or take one tick of rounding."""
        steps = [after - before for before, after in zip(self.times, self.times[1:], strict=False)]
        return not steps or max(steps) - min(steps) <= 1


def _entry(packet: Packet[VideoStream], codec: str) -> Entry:
    shown = not packet.is_discard
    if codec == "vp8":
        shown = shown and bool(bytes(packet)[0] & _VP8_SHOWN)
    end = packet.pos + packet.size if packet.pos is not None and packet.pos >= 0 else 0
    return Entry(packet.pts, packet.dts, packet.is_keyframe, shown, end, packet.duration or 0)
