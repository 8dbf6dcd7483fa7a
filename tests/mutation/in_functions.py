"""Mutants of functions, which are mutmut's: a part's, in a folder of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import chdir
from pathlib import Path

from tests.mutation.changes import change_of
from tests.mutation.outside_functions import ROOT
from tests.mutation.parts import Part
from tests.mutation.survivors import Survivor

NOTICED = {"killed", "timeout", "segfault", "caught by type check"}
"""A process that hangs may crash as it is ended from outside, while it tells where it hung."""

HANGS = 15
"""Seconds after which a test has noticed: its process ends as if it had failed."""

IN_MEMORY = Path("/dev/shm")
"""Where tests keep their files, if there is such a place: none of these waits for a disk."""

COPIED = ("docs", "README.md", "notebooks", "benchmarks", "CHANGELOG.md")


def survivors(part: Part, children: int, *, again: bool) -> tuple[Counter[str], list[Survivor]]:
    """How many mutants of each verdict, and those that no test noticed.

    ``again`` asks only about what the last run left; what it noticed stays noticed.
    """
    folder = ROOT / "mutants" / part.name
    if not again:
        shutil.rmtree(folder, ignore_errors=True)
    _make(folder, part)
    _forget(folder)
    asked = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutants", "PYTHONDONTWRITEBYTECODE": "1"}
    if IN_MEMORY.is_dir():
        environment["TMPDIR"] = str(IN_MEMORY)
    subprocess.run(asked, cwd=folder, env=environment, check=True)
    return _read(folder)


def _make(folder: Path, part: Part) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("src", "tests", *COPIED):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(ROOT / name)
    sources = [f"src/serverdomain/{source}" for source in part.sources]
    settings = {
        "source_paths": ["src"],
        "only_mutate": sources,
        "also_copy": [*COPIED],
        "pytest_add_cli_args_test_selection": [f"tests/{test}" for test in part.tests],
        # No server: it would be a child of mutmut's, which takes each that ends for its own.
        "pytest_add_cli_args": ["-m", "not slow", "-k", "not postgres", "-p", "no:cacheprovider"]
        + ["-o", f"faulthandler_timeout={HANGS}", "-o", "faulthandler_exit_on_timeout=true"]
        + [f"--deselect=tests/{test}" for test in part.without],
        "type_check_command": [sys.executable, "-m", "tests.mutation.asked", "mypy", *sources],
        "timeout_multiplier": 8.0,
        "use_git_change_detection": False,
        "on_dependency_change": "ignore",
    }
    # JSON writes lists, strings, numbers and booleans as TOML does.
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    ours = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(ours + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def _forget(folder: Path) -> None:
    """Forget what an earlier run gave for all that was not noticed, so that it is tried again."""
    from mutmut.stats import status_by_exit_code

    for path in folder.glob("mutants/src/**/*.meta"):
        data = json.loads(path.read_text("utf-8"))
        codes = data["exit_code_by_key"]
        data["exit_code_by_key"] = {
            name: code if status_by_exit_code[code] in NOTICED else None
            for name, code in codes.items()
        }
        path.write_text(json.dumps(data), "utf-8")


def _read(folder: Path) -> tuple[Counter[str], list[Survivor]]:
    from mutmut.configuration import reset_config
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code
    from mutmut.utils.file_utils import walk_mutatable_files

    verdicts: Counter[str] = Counter()
    found = []
    with chdir(folder):
        reset_config()
        for path in walk_mutatable_files():
            data = SourceFileMutationData(path=path)
            data.load()
            for name, code in data.exit_code_by_key.items():
                verdict = status_by_exit_code[code]
                if verdict == "caught by type check":
                    verdict = f"left to {data.type_check_error_by_key[name]}"
                elif verdict not in NOTICED:
                    found.append(
                        Survivor(_function(name), change_of(get_diff_for_mutant(name, path=path)))
                    )
                verdicts[verdict] += 1
    return verdicts, found


def _function(name: str) -> str:
    return (
        re.sub(r"__mutmut_\d+$", "", name).replace(".x_", ".").replace(".xǁ", ".").replace("ǁ", ".")
    )
