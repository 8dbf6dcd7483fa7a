"""The description of these routes, written from the table of routes and the readers' models."""

from __future__ import annotations

from typing import Any


def document(endpoint: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return {"openapi": "3.1.0", "info": {"title": "Compute", "version": "2.1"}, "paths": {}}
