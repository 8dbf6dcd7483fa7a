"""Files that messages come in: plain, gzip or zstd, read in constant memory whatever they hold.

What stands before damage is read. A bomb is only ever unpacked as far as somebody reads.
"""

from __future__ import annotations

import errno
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from serverdomain.errors import ExtraMissing

STDIN = "-"

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPED = b"\x2a\x4d\x18"
_TOLD_APART = 4  # The bytes that tell how a file is packed.
_FED = 1024  # What is unpacked at once: the less, the nearer to damage is read.
_WINDOW_LOG = 27  # As the zstd command has it: 128 MiB.


class Damaged(Exception):
    """What is packed cannot be unpacked any further, and why."""


class _Gzip:
    @staticmethod
    def may_begin(data: bytes) -> bool:
        return _GZIP.startswith(data[: len(_GZIP)])

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def is_hungry(self) -> bool:
        return not self._stream.unconsumed_tail

    def unpack(self, data: bytes, most: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, most)


class _Zstd:
    @staticmethod
    def may_begin(data: bytes) -> bool:
        # Some tools put frames that are passed over before each of their own, or at the end.
        is_skipped = 0x50 <= data[0] <= 0x5F and _SKIPPED.startswith(data[1:_TOLD_APART])
        return is_skipped or _ZSTD.startswith(data[:_TOLD_APART])

    def __init__(self) -> None:
        zstd = _zstd()
        limit = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        self._stream = zstd.ZstdDecompressor(options=limit)

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._stream.unused_data)

    @property
    def is_hungry(self) -> bool:
        return bool(self._stream.needs_input)

    def unpack(self, data: bytes, most: int) -> bytes:
        return bytes(self._stream.decompress(data, most))


def _zstd() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ModuleNotFoundError as missing:
        raise ExtraMissing("an archive in zstd", missing.name, "incoming") from None
    return zstd


class _Unpacked(io.RawIOBase):
    """What a packed file holds, its members one behind another."""

    def __init__(self, packed: IO[bytes], kind: type[_Gzip | _Zstd]) -> None:
        self._packed, self._kind = packed, kind
        self._member: Any = kind()
        self._fed = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        given = self._next(len(buffer))
        buffer[: len(given)] = given
        return len(given)

    def _next(self, most: int) -> bytes:
        while not self._ended:
            given = self._step(most)
            if given:
                return given
        return b""

    def _step(self, most: int) -> bytes:
        if self._member.eof:
            data = self._member.unused_data.lstrip(b"\0") or self._behind_padding()
            if not data:
                self._ended = True
                return b""
            if not self._kind.may_begin(data):
                raise Damaged(f"what follows byte {self._fed} is not packed as what stands before")
            self._member = self._kind()
        else:
            is_hungry = self._member.is_hungry
            data = self._packed.read(_FED) if is_hungry else b""
            if is_hungry and not data:
                raise Damaged(f"ends at byte {self._fed}, in the middle")
            self._fed += len(data)
        try:
            given: bytes = self._member.unpack(data, most)
        except Exception as error:
            raise Damaged(f"is damaged near byte {self._fed}: {error}") from None
        return given

    def _behind_padding(self) -> bytes:
        while padding := self._packed.read(_FED):
            if data := padding.lstrip(b"\0"):
                return data
        return b""


class _Rejoined(io.RawIOBase):
    """A stream of which the first bytes were read, to see how it is packed."""

    def __init__(self, begun: bytes, rest: io.BufferedReader) -> None:
        self._begun, self._rest = begun, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        given = self._begun[: len(buffer)] or self._rest.read1(len(buffer))
        self._begun = self._begun[len(given) :]
        buffer[: len(given)] = given
        return len(given)


def require_stdin() -> None:
    """Raise `OSError` where the process was started without one."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "stdin is closed", STDIN)


@contextmanager
def source(name: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """What a file holds, unpacked, and the file itself, whose place tells how far it was read.

    Raises `OSError` where there is none; whoever reads is raised `Damaged`.
    """
    if name == STDIN:
        require_stdin()
        stdin: Any = sys.stdin.buffer
        file = stdin if hasattr(stdin, "peek") else io.BufferedReader(stdin)
        yield _unpacked(file), file
        return
    with open(name, "rb") as opened:
        yield _unpacked(opened), opened


def _unpacked(file: io.BufferedReader | Any) -> IO[bytes]:
    begins = file.peek(_TOLD_APART)[:_TOLD_APART]
    if 0 < len(begins) < _TOLD_APART:
        # A pipe gives what there is, which may be a byte.
        begins = file.read(_TOLD_APART)
        file = io.BufferedReader(_Rejoined(begins, file))
    if len(begins) == _TOLD_APART:
        for kind in (_Gzip, _Zstd):
            if kind.may_begin(begins):
                return io.BufferedReader(_Unpacked(file, kind), 1 << 16)
    return file
