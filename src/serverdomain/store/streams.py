"""How streams are named, in every engine alike: the ledger signs these names.

A server's facts are one stream; what was refused to it is another, which never contends with it.
"""

from __future__ import annotations

from uuid import UUID, uuid5


def stream_of(server_id: str) -> str:
    """The stream of a server's facts: its id as 32 hex digits."""
    return server_id.replace("-", "")


def refusals_of(server_id: str) -> str:
    """The stream of what was refused to a server, 32 hex digits too."""
    return uuid5(UUID(server_id), "refusals").hex


def server_id_of(stream: str) -> str:
    """The id of the server whose facts are in a stream."""
    # Cut, not read as a UUID: the digits are our own, and reading them was a fifth of a replay.
    return f"{stream[:8]}-{stream[8:12]}-{stream[12:16]}-{stream[16:20]}-{stream[20:]}"
