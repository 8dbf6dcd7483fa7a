"""Files that messages come in: plain, gzip or zstd, read in constant memory whatever they hold.

What stands before damage is read. A bomb is only ever unpacked as far as somebody reads.
"""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from serverdomain.errors import ExtraMissing

STDIN = "-"

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_FED = 1024  # What is unpacked at once: the less, the nearer to damage is read.
_WINDOW_LOG = 27  # As the zstd command has it: 128 MiB.


class Damaged(Exception):
    """What is packed cannot be unpacked any further, and why."""


class _Gzip:
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

    def __init__(self, packed: IO[bytes], magic: bytes, make: Callable[[], Any]) -> None:
        self._packed, self._magic, self._make = packed, magic, make
        self._member: Any = make()
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
            rest = self._member.unused_data.lstrip(b"\0")
            data = rest or self._packed.read(_FED).lstrip(b"\0")
            if not data:
                self._ended = True
                return b""
            if not data.startswith(self._magic[: len(data)]):
                raise Damaged(f"what follows byte {self._fed} is not packed as what stands before")
            self._member = self._make()
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


@contextmanager
def source(name: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """What a file holds, unpacked, and the file itself, whose place tells how far it was read.

    Raises `OSError` where there is none; whoever reads is raised `Damaged`.
    """
    if name == STDIN:
        stdin: Any = sys.stdin.buffer
        file = stdin if hasattr(stdin, "peek") else io.BufferedReader(stdin)
        yield _unpacked(file), file
        return
    with open(name, "rb") as opened:
        yield _unpacked(opened), opened


def _unpacked(file: io.BufferedReader | Any) -> IO[bytes]:
    begins = file.peek(4)[:4]
    for magic, make in ((_GZIP, _Gzip), (_ZSTD, _Zstd)):
        if begins.startswith(magic):
            return io.BufferedReader(_Unpacked(file, magic, make), 1 << 16)
    return file
