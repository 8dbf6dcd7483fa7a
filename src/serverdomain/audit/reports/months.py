"""The months of a report, as ``2024-11``: none is missing between the first and the last."""

from __future__ import annotations

from collections.abc import Collection


def every_month(there: Collection[str]) -> list[str]:
    """All months from the first to the last of these."""
    if not there:
        return []
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (min(there), max(there)))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]
