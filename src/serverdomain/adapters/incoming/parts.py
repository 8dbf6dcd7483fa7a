"""A stream of bytes, part by part: JSON lines, arrays and single objects, however they are set.

Lines are the quick way. What is spread over lines, or stands in an array, is found value by value.
A part that is broken, or too large to be read, is told as such, and the next one is looked for.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import msgspec

from serverdomain.adapters.incoming.sources import Damaged

LARGEST = 16 * 1024 * 1024
"""Bytes of a part, at most."""

GIVEN_UP = 1024 * 1024 * 1024
"""Bytes without an end of line after which the rest of a stream is not looked at."""

_PIECE = 1 << 16
_TOKEN = 16  # Characters: what is cut off within one is not broken.
_KEPT = 256  # What stands before a value tells how far it is indented.
_BOM = codecs.BOM_UTF8
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_BETWEEN = re.compile(r"[\s,\[\]\x1e]*")
_value_at = json.JSONDecoder(strict=False).raw_decode
_is_json = msgspec.json.Decoder(msgspec.Raw).decode


class Part(NamedTuple):
    """A JSON value and the line where it begins, or what is wrong with what stands there."""

    raw: bytes
    line: int
    wrong: str | None = None


def parts(stream: IO[bytes]) -> Iterator[Part]:
    """The parts of a stream, in order."""
    line = 0
    try:
        first = stream.readline(LARGEST + 1)
        if first.startswith(_WIDE):
            yield Part(b"", 1, "is UTF-16 or UTF-32, UTF-8 is allowed; nothing of it is read")
            return
        first = first.removeprefix(_BOM)
        if _is_spread(first):
            values = _Values(stream.read, first)
            for part in values:
                line = part.line
                yield part
            return
        for part in _lines(stream, first):
            line = part.line
            yield part
    except Damaged as damaged:
        yield Part(b"", line + 1, str(damaged))


def _is_spread(first: bytes) -> bool:
    """Whether values are spread over lines, or stand in an array."""
    begins = first.strip()
    if begins.startswith(b"[") or b"\r" in begins:  # In text of JSON's a line break is escaped.
        return True
    if not begins.endswith((b"{", b"[", b",", b":")):
        return False
    try:
        _is_json(begins)
    except (msgspec.DecodeError, RecursionError):
        return True
    return False


def _lines(stream: IO[bytes], first: bytes) -> Iterator[Part]:
    line, number = first, 0
    while line:
        number += 1
        if len(line) > LARGEST and not line.endswith(b"\n"):
            ends = _skipped(stream)
            yield Part(b"", number, _too_large(ends))
            if not ends:
                return
        else:
            raw = line.strip(b" \t\r\n\x1e")
            if raw.startswith(b"["):
                found = _Values(lambda _: b"", raw)
                yield from (part._replace(line=number) for part in found)
            elif raw:
                yield Part(raw, number)
        line = stream.readline(LARGEST + 1)


def _too_large(ends: bool) -> str:
    wrong = f"is larger than {LARGEST} bytes, and was not read"
    return wrong if ends else f"{wrong}; no end of it was found, the rest was not read either"


def _skipped(stream: IO[bytes]) -> bool:
    """Pass over the rest of a line; whether it has an end within reason."""
    passed = 0
    while passed < GIVEN_UP:
        piece = stream.readline(_PIECE)
        passed += len(piece)
        if not piece or piece.endswith(b"\n"):
            return True
    return False


class _Values:
    """JSON objects one behind another, in arrays or not, on as many lines as they like."""

    def __init__(self, read: Callable[[int], bytes], begun: bytes) -> None:
        self._read = read
        # Bytes that are no UTF-8 come out as they went in, and spoil their own value alone.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = self._decoder.decode(begun)
        self._at = 0
        self._line = 1
        self._break = "\r" if b"\r" in begun and b"\n" not in begun else "\n"

    def __iter__(self) -> Iterator[Part]:
        while self._begins():
            line, indent = self._line, self._indent()
            end, is_large = self._end()
            if end is not None:
                raw = self._raw(end)
                self._take(end)
                yield Part(raw, line, None if raw.startswith(b"{") else "is no JSON object")
                continue
            raw = self._raw(self._at + _PIECE)
            goes_on = self._to_next_line(f"{self._break}{indent}{{")
            yield Part(raw, line, _too_large(goes_on) if is_large else "is no JSON, or half of it")
            if not goes_on:
                return

    def _indent(self) -> str:
        before = self._text[max(self._at - _KEPT, 0) : self._at].rpartition(self._break)[2]
        return "" if before.strip() else before

    def _raw(self, end: int) -> bytes:
        return self._text[self._at : end].encode("utf-8", "surrogateescape")

    def _begins(self) -> bool:
        """Go to where the next value begins, if there is one."""
        while True:
            between = _BETWEEN.match(self._text, self._at)
            self._take(between.end() if between else self._at)
            if self._at < len(self._text):
                return True
            if not self._more(_PIECE):
                return False

    def _end(self) -> tuple[int | None, bool]:
        """Where the value ends that begins here; ``None`` for one that is broken or too large.

        Also whether it is too large.
        """
        while True:
            try:
                return _value_at(self._text, self._at)[1], False
            except RecursionError:
                return None, False
            except ValueError as error:
                held = len(self._text) - self._at
                if self._is_broken(error):
                    return None, False
                if held > LARGEST:
                    return None, True
                if not self._more(max(held, _PIECE)):
                    return None, False

    def _is_broken(self, error: ValueError) -> bool:
        """Whether nothing that follows could make a whole value of this."""
        if not isinstance(error, json.JSONDecodeError):
            return True  # A number of more digits than Python reads.
        return error.pos < len(self._text) - _TOKEN and not error.msg.startswith(
            "Unterminated string"
        )

    def _more(self, most: int) -> bool:
        piece = self._read(most)
        text = self._decoder.decode(piece, not piece)
        if self._at > _PIECE:
            self._text, self._at = self._text[self._at - _KEPT :], _KEPT
        self._text += text
        return bool(piece or text)

    def _take(self, end: int) -> None:
        self._line += self._text.count(self._break, self._at, end)
        self._at = end

    def _to_next_line(self, next_one: str) -> bool:
        """Go to the line where the next object at this depth may begin; whether there is one."""
        passed = 0
        while True:
            found = self._text.find(next_one, self._at + 1)
            if found >= 0:
                self._take(found)
                return True
            here = max(len(self._text) - len(next_one), self._at)
            passed += here - self._at
            self._take(here)
            if passed > GIVEN_UP or not self._more(_PIECE):
                return False
