"""Rejects go behind earlier ones where nobody can read their source again, else in their place."""

from pathlib import Path

import pytest

from serverdomain.adapters.cli.rejects_file import rejects_file
from serverdomain.errors import InvalidInput

LINE = b'{"place":"bus","reason":"no"}\n'


@pytest.mark.parametrize(
    ("behind", "before", "after"),
    [
        (True, LINE * 2, LINE * 3),
        (True, LINE * 2 + LINE[:-9], LINE * 3),
        (True, LINE * 60_000 + LINE[:-1], LINE * 60_001),
        (True, b"", LINE),
        (False, LINE * 2, LINE),
    ],
    ids=["behind", "half a line", "much", "empty", "in their place"],
)
def test_what_is_there_stays_or_goes(
    tmp_path: Path, behind: bool, before: bytes, after: bytes
) -> None:
    path = tmp_path / "rejects"
    path.write_bytes(before)
    with rejects_file(str(path), (), behind=behind) as file:
        file.write(LINE)
    assert path.read_bytes() == after


def test_nor_does_anything_go_behind_what_holds_something_else(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(b"mine\n")
    with pytest.raises(InvalidInput, match="holds something else than rejects"):
        rejects_file(str(path), (), behind=True)
    assert path.read_bytes() == b"mine\n"
