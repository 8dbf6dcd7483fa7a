"""What a call may wait for: who waits for a lock waits apart, in threads of its own.

Commands are left to the log together; what has to be known before takes the places of commands.
Lists take those of lists, and what only reads is answered beside them.
"""

from __future__ import annotations

from typing import Literal

Waits = Literal["reading", "listing", "commanding"]
"""What a call may wait for: no lock, the view's lock, or the log's."""

MOST: dict[Waits, int] = {"reading": 16, "listing": 8, "commanding": 16}
"""The most threads, and so the most calls at a time, by what they may wait for."""
