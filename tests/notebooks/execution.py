"""Notebooks run as a reader would run them: in a new kernel of this Python, somewhere else.

What a cell gave is kept: texts, tables and pictures. What only a kernel can show, a slider, is not.
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.notebooks.sources import answers

if TYPE_CHECKING:
    from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"

_VISIBLE = 8 / 255
_SPECKS = 0.002


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with its outputs, run in an empty folder; raises what a cell or answer raises.

    The answers of its exercises run at its end, in order, and are not kept.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell
    from traitlets.config import Config

    executed = nbformat.from_dict(notebook)
    count = len(executed.cells)
    executed.cells += [new_code_cell(answer) for answer in answers(notebook)]
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
                timeout=600,
                record_timing=False,
                coalesce_streams=True,
                resources={"metadata": {"path": str(folder)}},
            ).execute()
    executed.metadata = notebook.metadata
    del executed.cells[count:]
    for cell in executed.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if WIDGET not in one.get("data", {})]
    return executed


def differences(shown: NotebookNode, came: NotebookNode) -> list[str]:
    """The cells in which what is shown is not what came, and how."""
    if len(shown.cells) != len(came.cells):
        return [f"{len(shown.cells)} cells are shown, {len(came.cells)} came"]
    found = []
    for cell, new in zip(shown.cells, came.cells, strict=True):
        if cell.source != new.source:
            found.append(f"{cell.id}: its source is another")
        elif len(outputs := cell.get("outputs", ())) != len(anew := new.get("outputs", ())):
            found.append(f"{cell.id}: {len(outputs)} outputs are shown, {len(anew)} came")
        else:
            pairs = zip(outputs, anew, strict=True)
            found += [f"{cell.id}: {how}" for pair in pairs if (how := _difference(*pair))]
    return found


def _difference(shown: NotebookNode, came: NotebookNode) -> str:
    old, new = (_texts(one) for one in (shown, came))
    if old != new:
        return f"{old} is shown, {new} came"
    if "data" in shown and "image/png" in shown.data:
        return _seen(*(b64decode(one.data["image/png"]) for one in (shown, came)))
    return ""


def _texts(output: NotebookNode) -> dict[str, Any]:
    if output.output_type == "stream":
        return {output.name: output.text}
    texts = {kind: data for kind, data in output.data.items() if kind != "image/png"}
    return {**texts, "picture": output.metadata.get("image/png")}


def _seen(shown: bytes, came: bytes) -> str:
    """How two pictures differ for who looks at them: another machine may round a dot otherwise."""
    from matplotlib.image import imread
    from numpy import abs as distance

    one, other = (imread(BytesIO(picture), format="png") for picture in (shown, came))
    if one.shape != other.shape:
        return f"a picture of {one.shape} is shown, of {other.shape} came"
    part = (distance(one - other).max(axis=2) > _VISIBLE).mean()
    return f"{part:.1%} of a picture is another" if part > _SPECKS else ""
