"""Answers: JSON as bytes, written by msgspec in one step."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

encode = msgspec.json.Encoder().encode


def answer(content: Any, status: int = 200, **headers: str) -> Response:
    """A response with JSON."""
    return Response(encode(content), status, headers or None, "application/json")


def written(content: bytes) -> Response:
    """A response with JSON that is written already."""
    return Response(content, 200, None, "application/json")


def empty(status: int) -> Response:
    """A response without a body."""
    return Response(None, status)
