"""The physical lines of a CSV file, read in large blocks, with a look ahead and a way to take many lines at
once."""

import re
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 8_000_000
LONGEST_LINE_BYTES = 16_000_000
SMALLEST_PLAIN_BYTES = 2_000  # below it, taking lines at once costs more than it saves


@dataclass(slots=True)
class Line:
    """A physical line: its number from 1, its text without its end (bytes that are not UTF-8 as lone
    surrogates)."""

    number: int
    text: str
    end: str
    is_cut: bool = False


class Lines:
    """The lines of an open binary file. They end in line feeds, with or without a carriage return; in a file
    that has none at first, in carriage returns. `before` is how many lines stand before the first."""

    def __init__(self, handle: BinaryIO, before: int = 0):
        self._handle = handle
        self._buffer = b""
        self._position = 0
        self._passed = 0  # bytes of the file before the buffer
        self._number = before
        self._ahead: deque[Line] = deque()
        self._plain_from = 0
        self.looked_in_vain = 0  # how often a line was looked at ahead of its turn and not taken then
        self._fill()
        start = self._buffer[: 1 << 16]
        self._is_old_mac = b"\r" in start.rstrip(b"\r") and b"\n" not in start
        self._end = b"\r" if self._is_old_mac else b"\n"

    def next(self) -> Line | None:
        """The next line, or None at the end of the file."""
        return self._ahead.popleft() if self._ahead else self._read()

    def peek(self, distance: int) -> Line | None:
        """The line `distance` lines ahead (0: the next one), or None at the end of the file."""
        while len(self._ahead) <= distance:
            line = self._read()
            if line is None:
                return None
            self._ahead.append(line)
        self.looked_in_vain += 1
        return self._ahead[distance]

    def skip(self, count: int) -> None:
        """Passes over `count` lines that were looked at."""
        self.looked_in_vain -= count
        for _ in range(count):
            self._ahead.popleft()

    def take_plain(self, plain: re.Pattern[bytes]) -> tuple[int, bytes] | None:
        """Takes the whole lines from here on that `plain` matches: the first one's number and their bytes;
        None when they are too few to be worth it. `plain` matches whole lines or nothing."""
        if self._ahead or self._is_old_mac or self._passed + self._position < self._plain_from:
            return None
        if len(self._buffer) - self._position < BLOCK_BYTES // 2:
            self._fill()
        last = self._buffer.rfind(b"\n", self._position) + 1
        if last <= self._position or self._buffer.startswith(b"\xef\xbb\xbf", self._position):
            return None
        end = plain.match(self._buffer, self._position, last).end()
        if end - self._position < max(1, SMALLEST_PLAIN_BYTES):
            self._plain_from = self._passed + end + 1
            return None
        block = self._buffer[self._position : end]
        first = self._number + 1
        self._number += block.count(b"\n")
        self._position = end
        return first, block

    def _read(self) -> Line | None:
        place = self._buffer.find(self._end, self._position)
        while place < 0 and len(self._buffer) - self._position <= LONGEST_LINE_BYTES and self._fill():
            place = self._buffer.find(self._end, self._position)
        stop = place if place >= 0 else len(self._buffer)
        if place < 0 and stop == self._position:
            return None
        is_cut = stop - self._position > LONGEST_LINE_BYTES
        # A line beyond every limit is one bad row: its start is kept, the rest is passed over.
        body = self._buffer[self._position : min(stop, self._position + LONGEST_LINE_BYTES)]
        end = self._end if place >= 0 else b""
        self._position = stop + len(end)
        if is_cut and place < 0:
            self._pass_over_line()
        if body.endswith(b"\r") and not self._is_old_mac:
            body, end = body[:-1], b"\r" + end
        self._number += 1
        return Line(self._number, body.decode("utf-8", "surrogateescape"), end.decode(), is_cut)

    def _pass_over_line(self) -> None:
        while self._fill():
            place = self._buffer.find(self._end, self._position)
            self._position = place + 1 if place >= 0 else len(self._buffer)
            if place >= 0:
                return

    def _fill(self) -> bool:
        """Reads on; False at the end of the file."""
        chunk = self._handle.read(BLOCK_BYTES)
        if chunk:
            self._passed += self._position
            self._buffer = self._buffer[self._position :] + chunk
            self._position = 0
        return bool(chunk)
