"""The list of survivors: what no test noticed, each with the reason why none has to."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

LIST = Path(__file__).with_name("survivors.toml")


class Survivor(NamedTuple):
    """A mutant that no test noticed."""

    where: str
    change: str

    def __str__(self) -> str:
        return f"where = \"{self.where}\"\nchange = '''\n{self.change}'''\nwhy = \"\"\n"


class Reason(NamedTuple):
    """An entry of the list: of one change, or of all ``like`` a pattern in one place."""

    where: str
    change: str | None
    like: str | None

    def excuses(self, one: Survivor) -> bool:
        if self.where != one.where:
            return False
        if self.like is not None:
            return re.search(self.like, one.change) is not None
        return self.change == one.change

    def __str__(self) -> str:
        return f"{self.where}\n{self.change or self.like}"


def _entries(kind: str) -> Iterator[dict[str, Any]]:
    for entry in tomllib.loads(LIST.read_text("utf-8")).get(kind, []):
        assert entry["why"].strip(), entry
        yield entry


def not_asked() -> Iterator[str]:
    """Patterns of changes that no test of any part is asked about."""
    yield from (entry["like"] for entry in _entries("not-asked"))


def reasons(part: str) -> list[Reason]:
    """Those of a part."""
    return [
        Reason(
            entry["where"],
            entry["change"].strip() if "change" in entry else None,
            entry.get("like"),
        )
        for entry in _entries(part)
    ]
