"""A stream is read part by part, however it is set and packed, and whatever is wrong with it."""

import fcntl
import gzip
import io
import json
import os
import termios
import tracemalloc
from array import array
from concurrent.futures import ThreadPoolExecutor

import pytest

from serverdomain.adapters.incoming import parts as module
from serverdomain.adapters.incoming.parts import LARGEST, parts
from serverdomain.adapters.incoming.sources import source

ONES = [{"n": 1}, {"n": 2, "deep": {"a": [1, {"b": "}]{["}]}}, {"n": 3}]
LINES = b"".join(json.dumps(one).encode() + b"\n" for one in ONES)


def found(content):
    return [
        json.loads(part.raw) if part.wrong is None else f"{part.line}: {part.wrong}"
        for part in parts(io.BytesIO(content))
    ]


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES.rstrip(),
        LINES.replace(b"\n", b"\r\n"),
        LINES.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + LINES,
        b"\n\n" + LINES.replace(b"\n", b"\n\n"),
        json.dumps(ONES).encode(),
        json.dumps(ONES, indent=2).encode(),
        b"\n".join(json.dumps(one, indent=1).encode() for one in ONES),
        b"".join(json.dumps(one).encode() for one in ONES[:1])
        + b"\n"
        + json.dumps(ONES[1:]).encode(),
        b"[\n" + b",\n".join(json.dumps(one).encode() for one in ONES) + b"\n]\n",
    ],
)
def test_lines_arrays_and_objects_are_found_however_they_are_set(content):
    assert found(content) == ONES


def test_nothing_is_in_an_empty_stream():
    assert found(b"") == found(b"\n \n") == found(b"[]") == []


def test_a_part_knows_its_line():
    assert [part.line for part in parts(io.BytesIO(LINES))] == [1, 2, 3]
    spread = json.dumps(ONES, indent=1).encode()
    lines = [number for number, line in enumerate(spread.split(b"\n"), 1) if line == b" {"]
    assert [part.line for part in parts(io.BytesIO(spread))] == lines


def test_half_a_line_is_a_part_for_whoever_reads_it_and_spoils_no_other():
    # Whether a whole line is JSON, who reads its message finds out anyhow.
    raws = [part.raw for part in parts(io.BytesIO(LINES + b'{"n": 4, "x\n' + LINES))]
    assert len(raws) == 7
    assert raws[3] == b'{"n": 4, "x'


def test_what_is_broken_among_spread_objects_spoils_no_other():
    spread = [json.dumps(one, indent=1) for one in ONES]
    broken = spread[1].replace(":", "=")
    content = "\n".join([spread[0], broken, spread[2]]).encode()
    assert found(content) == [ONES[0], "4: is no JSON, or half of it", ONES[2]]
    content = json.dumps(ONES, indent=1).replace('"n": 2', '"n" 2').encode()
    assert found(content)[::2] == [ONES[0], ONES[2]]


def test_a_part_knows_its_line_whatever_ends_it():
    broken = LINES.replace(b'"n": 2', b'"n" 2').replace(b"\n", b"\r")
    assert found(broken) == [ONES[0], "2: is no JSON, or half of it", ONES[2]]


def test_what_is_broken_is_not_called_too_large_for_what_follows_it(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 100_000)
    ones = ['{"n": "%s"}' % ("x" * 1_000), *["{broken}"] * 3] * 200
    content = "[\n" + ",\n".join(ones) + "\n]"
    told = [part.wrong for part in parts(io.BytesIO(content.encode()))]
    assert told == [None, *["is no JSON, or half of it"] * 3] * 200


def test_what_is_no_object_in_an_array_is_told():
    assert found(b'[1, "x", {"n": 1}, null]') == [
        "1: is no JSON object",
        "1: is no JSON object",
        {"n": 1},
        "1: is no JSON object",
    ]


def test_bytes_that_are_no_utf_8_come_as_they_are():
    (part,) = parts(io.BytesIO(b'[{"n": "\xff"}]'))
    assert part.raw == b'{"n": "\xff"}'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_another_encoding_is_told(encoding):
    content = "\ufeff" * encoding.endswith("-be") + LINES.decode()
    (told,) = found(content.encode(encoding))
    assert "UTF-16" in told


def test_a_line_that_is_too_large_is_not_read_and_the_next_one_is():
    tracemalloc.start()
    try:
        large = b'{"n": "' + b"x" * (3 * LARGEST) + b'"}\n'
        stream = io.BytesIO(LINES + large + LINES)
        del large
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        got = [part.wrong and part.line for part in parts(stream)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert got == [None, None, None, 4, None, None, None]
    assert peak - before < 2.5 * LARGEST


def test_an_array_on_one_line_may_be_larger_than_a_part():
    one = json.dumps({"n": "x" * 1_000_000})
    content = f"[{','.join([one] * 20)}]".encode()
    assert len(content) > LARGEST
    assert found(content) == [json.loads(one)] * 20


def test_a_value_that_is_too_large_is_told(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 100_000)
    large = json.dumps({"n": "x" * 300_000})
    (first, told, last) = found(f"[{LINES.decode()[:8]},\n{large},\n{{}}]".encode())
    assert (first, last) == (ONES[0], {})
    assert told.startswith("2: is larger than 100000 bytes")


def test_a_line_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1_000)
    monkeypatch.setattr(module, "GIVEN_UP", 100_000)
    told = found(LINES + b"0" * 1_000_000 + b"\n" + LINES)
    assert told[:3] == ONES
    assert told[3:] == [
        "4: is larger than 1000 bytes, and was not read; no end of it was found, the rest was not "
        "read either"
    ]


def packed(how, content):
    if how == "gzip":
        return gzip.compress(content)
    zstd = pytest.importorskip("backports.zstd")
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def from_file(path):
    with source(str(path)) as (stream, _):
        return [part.wrong or as_json(part.raw) for part in parts(stream)]


def as_json(raw):
    try:
        return json.loads(raw)
    except ValueError:
        return raw  # Damaged, and unpacked before it was noticed.


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_packed_file_is_unpacked_its_members_too(how, tmp_path):
    path = tmp_path / "messages"  # What it is, its first bytes say, not its name.
    path.write_bytes(packed(how, LINES) + packed(how, LINES))
    assert from_file(path) == ONES + ONES
    path.write_bytes(packed(how, b""))
    assert from_file(path) == []


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_between_members_there_may_be_padding(how, tmp_path):
    path = tmp_path / "messages"
    path.write_bytes(packed(how, LINES) + b"\0" * 10_000 + packed(how, LINES) + b"\0" * 10_000)
    assert from_file(path) == ONES + ONES


def test_frames_of_zstd_that_are_passed_over_hide_no_other(tmp_path):
    passed_over = b"\x5e\x2a\x4d\x18\x04\x00\x00\x00none"
    path = tmp_path / "messages"
    path.write_bytes(
        passed_over + packed("zstd", LINES) + passed_over + packed("zstd", LINES) + passed_over
    )
    assert from_file(path) == ONES + ONES


@pytest.mark.parametrize("how", ["gzip", "zstd", None])
def test_a_pipe_may_begin_with_a_byte(how, tmp_path):
    whole = LINES if how is None else packed(how, LINES)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(from_file, pipe)
        with pipe.open("wb", buffering=0) as end:
            for byte in whole[:6]:
                end.write(bytes([byte]))
                while unread(end):
                    os.sched_yield()
            end.write(whole[6:])
        assert read.result() == ONES


def unread(end):
    """How many bytes of a pipe nobody has read so far."""
    held = array("i", [0])
    fcntl.ioctl(end, termios.FIONREAD, held)
    return held[0]


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_what_stands_before_damage_is_read(how, tmp_path):
    many = b"".join(
        b'{"n": %d, "x": "%x"}\n' % (n, n * 0x9E3779B97F4A7C15 % 2**64) for n in range(50_000)
    )
    path = tmp_path / "messages"
    whole = packed(how, many)
    path.write_bytes(whole[: len(whole) // 2])
    *read, told = from_file(path)
    assert len(read) > 10_000
    assert [one["n"] for one in read if isinstance(one, dict)] == list(range(len(read)))
    assert "ends at byte" in told
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 4_000 + whole[len(whole) // 2 + 4_000 :])
    *read, told = from_file(path)
    assert [one["n"] for one in read[:5_000]] == list(range(5_000))
    assert "damaged" in told
    path.write_bytes(packed(how, LINES) + b"garbage")
    assert from_file(path)[:3] == ONES
    assert "not packed" in from_file(path)[3]


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_bomb_takes_no_memory(how, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(packed(how, LINES + b"0" * (4 * LARGEST) + b"\n" + LINES))
    tracemalloc.start()
    try:
        told = from_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [one for one in told if isinstance(one, dict)] == ONES + ONES
    assert peak < 3 * LARGEST
