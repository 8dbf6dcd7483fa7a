"""What a rival needs, in an environment of its own beside ours: made on demand, left out if not.

A rival's requirements may fight with ours, and nobody who runs the tests should have to install it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sysconfig
import venv
from pathlib import Path

from benchmarks.measure import LeftOut

ROOT = Path(__file__).parents[1]


class Environment:
    """A folder with the programs and modules that a file of requirements names."""

    def __init__(self, name: str, requirements: Path) -> None:
        self._folder = ROOT / f".venv-{name}"
        self._requirements = requirements
        self._why = "its environment is not there, and this run makes none"

    def make(self) -> None:
        """Make it where it is not there; why that failed is told by whoever needs it."""
        stamp, wanted = self._folder / "requirements", self._wanted()
        if self._is_there():
            return
        venv.create(self._folder, clear=True, with_pip=True)
        pip: list[str | Path] = [self._folder / "bin/python", "-m", "pip", "--quiet"]
        done = subprocess.run(
            [*pip, "--disable-pip-version-check", "install", "-r", self._requirements],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            self._why = done.stderr.strip().splitlines()[-1]
        else:
            stamp.write_text(wanted)

    def program(self, name: str) -> Path:
        """A program in it. Raises `LeftOut` where it is not there."""
        self._require()
        return self._folder / "bin" / name

    def modules(self) -> Path:
        """The folder of its modules. Raises `LeftOut` where it is not there."""
        self._require()
        where = {"base": str(self._folder), "platbase": str(self._folder)}
        return Path(sysconfig.get_path("platlib", "venv", where))

    def _require(self) -> None:
        if not self._is_there():
            raise LeftOut(f"{self._folder.name} is left out: {self._why}")

    def _is_there(self) -> bool:
        stamp = self._folder / "requirements"
        return stamp.exists() and stamp.read_text() == self._wanted()

    def _wanted(self) -> str:
        return hashlib.sha256(self._requirements.read_bytes()).hexdigest()


MIMIC = Environment("mimic", Path(__file__).parent / "endpoint/mimic.txt")
"""mimic was written for Python 2 and pins nothing: its file says with which releases it starts."""

UMADB = Environment("umadb", Path(__file__).with_name("umadb.txt"))
"""One wheel, which brings the server and its client and requires nothing."""
