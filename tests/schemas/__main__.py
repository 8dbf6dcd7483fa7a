"""``make schemas``: check every answer by Nova's own schemas, in an environment made for them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    os.environ["SCHEMAS"] = "required"
    sys.exit(pytest.main(["-q", "-s", "-m", "slow", str(Path(__file__).parent), *sys.argv[1:]]))
