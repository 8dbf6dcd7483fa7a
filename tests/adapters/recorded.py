"""What Nova answered to recorded requests, and where a decision of ours differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from serverdomain.adapters import compute_json
from serverdomain.domain.commands import RebuildServer

DATA = Path(__file__).parents[1] / "data"
VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
]
DEVIATIONS: list[dict[str, Any]] = json.loads((DATA / "deviations.json").read_text())
PATHS: dict[str, compute_json.Path] = {"2.0": "v2", "2.1": "v2.1"}


def body_of(vector: dict[str, Any]) -> bytes:
    if "body" in vector:
        return json.dumps(vector["body"]).encode()
    if "raw_body_hex" in vector:
        return bytes.fromhex(vector["raw_body_hex"])
    return str(vector["raw_body"]).encode()


def read(vector: dict[str, Any], body: bytes | None = None) -> RebuildServer:
    return compute_json.read_rebuild(
        body_of(vector) if body is None else body,
        path=PATHS[vector["microversion"]],
        content_type=vector.get("content_type", "application/json"),
    )
