"""What a call may wait for: who waits for a lock waits apart, in threads of its own.

Commands take the places of commands, lists those of lists, and what only reads is answered beside
them.
"""

from __future__ import annotations

from typing import Literal

Waits = Literal["reading", "listing", "commanding"]
"""What a call may wait for: no lock, the view's lock, or the log's."""

MOST: dict[Waits, int] = {"reading": 16, "listing": 8, "commanding": 16}
"""The most threads, and so the most calls at a time, by what they may wait for."""
