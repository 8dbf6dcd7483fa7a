"""Prints schemas of Nova's answers as JSON. Runs in the environment that has Nova and nothing else.

Nova's packages import the whole service; its schemas are plain dictionaries, and need next to
nothing of it. So the packages are found without being imported, and the rest stands in.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = (
    "nova",
    "nova.api",
    "nova.api.openstack",
    "nova.api.openstack.compute",
    "nova.api.openstack.compute.schemas",
    "nova.api.validation",
    "nova.objects",
)
STAND_INS: dict[str, dict[str, Any]] = {
    "nova.i18n": {"_": str},
    "nova.objects.instance": {"MAX_TAG_COUNT": 50},
    "nova.objects.tag": {"MAX_TAG_LENGTH": 60},
}


def schema(name: str) -> Any:
    """A schema by its module and its name, such as ``servers.show_response``."""
    module, _, member = name.partition(".")
    return getattr(importlib.import_module(f"nova.api.openstack.compute.schemas.{module}"), member)


def _begin() -> None:
    spec = find_spec("nova")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    for name in PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    for name, members in STAND_INS.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        setattr(sys.modules[parent], child, module)


if __name__ == "__main__":
    _begin()
    print(json.dumps({name: schema(name) for name in sys.argv[1:]}))
