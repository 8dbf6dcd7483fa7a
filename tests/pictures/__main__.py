"""``make pictures``: draw what each command prints, into docs/pictures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.house.imports import ROOT
from tests.pictures.commands import pictures, printed

if __name__ == "__main__":
    folder = ROOT / "docs/pictures"
    for old in folder.glob("*.svg"):
        old.unlink()
    with TemporaryDirectory() as empty:
        for name, svg in pictures(printed(Path(empty))):
            (folder / name).write_text(svg, "utf-8")
