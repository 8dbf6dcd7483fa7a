"""pygal, without the finder that it adds to Python's for its plugins, of which we use none.

It is of an old kind: Python would warn at every import from then on, the next one already.
"""

from __future__ import annotations

import sys

import pygal  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

__all__ = ["Style", "pygal"]

sys.meta_path[:] = [one for one in sys.meta_path if type(one).__module__ != "pygal"]
