"""Notebooks run as a reader would run them: in a new kernel of this Python, somewhere else.

What a cell gave is kept as text; a picture is kept as it is, and counts as there or not there.
"""

import os
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

from tests.house.imports import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with its outputs anew, run in an empty folder; raises what a cell raises."""
    executed = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory() as home:
        # What a kernel leaves behind, its history and its settings, goes there.
        homes = dict.fromkeys(("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"), home)
        # It is spoken to through sockets that are files: nothing listens on a port.
        kernel = {"transport": "ipc", "ip": f"{home}/kernel"}
        with mock.patch.dict(os.environ, homes):
            NotebookClient(
                executed,
                config=Config({"KernelManager": kernel}),
                kernel_name="python3",
                timeout=120,
                record_timing=False,
                coalesce_streams=True,
                resources={"metadata": {"path": str(folder)}},
            ).execute()
    executed.metadata = notebook.metadata
    return executed


def outputs(notebook: NotebookNode) -> list[list[Any]]:
    """What each cell gave: texts, and for a picture that there is one."""
    return [[_output(one) for one in cell.get("outputs", ())] for cell in notebook.cells]


def _output(output: NotebookNode) -> Any:
    if output.output_type == "stream":
        return output.name, output.text
    if "image/png" in output.data:
        return "a picture"
    return output.data["text/plain"]
