"""``make notebooks``: run every notebook and keep what it gave."""

import tempfile
from pathlib import Path

import nbformat

from tests.notebooks.execution import NOTEBOOKS, execute

for path in NOTEBOOKS:
    with tempfile.TemporaryDirectory() as folder:
        nbformat.write(execute(nbformat.read(path, as_version=4), Path(folder)), path)
