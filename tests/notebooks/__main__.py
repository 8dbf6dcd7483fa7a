"""``make notebooks``: run the source of each notebook, or of those named, and keep it."""

import sys
import tempfile
from pathlib import Path

import nbformat

from tests.notebooks.execution import execute
from tests.notebooks.sources import SOURCES, notebook_of, read

for source in SOURCES:
    if not sys.argv[1:] or source.stem in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(execute(read(source), Path(folder)), notebook_of(source))
