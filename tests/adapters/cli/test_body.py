"""How much a command reads of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from serverdomain import InvalidInput
from serverdomain.adapters.cli import body


@pytest.mark.parametrize("longest", [body.LONGEST_REQUEST, body.LONGEST_DOCUMENT])
def test_a_file_has_at_most_so_many_bytes(longest: int, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"x" * longest)
    assert len(body.read("--request", str(path), longest)) == longest
    path.write_bytes(b"x" * (longest + 1))
    with pytest.raises(InvalidInput, match=f"holds more than {longest} bytes"):
        body.read("--request", str(path), longest)


def test_an_endless_stream_is_left_there() -> None:
    with pytest.raises(InvalidInput, match="holds more than"):
        body.read("--request", "/dev/zero", body.LONGEST_REQUEST)
