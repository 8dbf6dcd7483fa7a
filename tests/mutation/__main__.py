"""Change the code in small ways, one at a time, and list the changes that no test notices.

Two kinds: mutmut's, of the functions that pyproject.toml names, and those of `outside_functions`.
What survives and does not stand in survivors.toml with its reason makes this fail, and so does a
reason that is no longer needed.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutation.outside_functions import ROOT, Mutant, change_of, mutants

LIST = Path(__file__).with_name("survivors.toml")
NOTICED = {"killed", "timeout", "caught by type check"}
Survivor = tuple[str, str]

TESTS = {
    "src/serverdomain/domain/server.py": [
        "tests/domain/test_server.py",
        "tests/domain/test_decisions.py",
    ],
    "src/serverdomain/domain/decisions.py": ["tests/domain/test_decisions.py"],
    "src/serverdomain/domain/lifecycle.py": ["tests/domain/test_lifecycle.py"],
    "src/serverdomain/store/sqlite/schema.py": [
        "tests/store/test_schema.py",
        "tests/store/test_recorder.py",
        "tests/store/test_sqlite_store.py::TestInMemory",
    ],
}
"""Which tests have to notice a mutant outside of functions."""


def mutmut(*arguments: str, show: bool = False) -> str:
    asked = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(
        asked, cwd=ROOT, stdout=None if show else subprocess.PIPE, text=True, check=True
    ).stdout


def of_functions() -> tuple[int, list[Survivor]]:
    mutmut("run", show=True)
    verdicts = re.findall(r"^\s*(\S+__mutmut_\d+): (.*)$", mutmut("results", "--all", "true"), re.M)
    survivors = [name for name, verdict in verdicts if verdict not in NOTICED]
    return len(verdicts), [(_function(name), change_of(mutmut("show", name))) for name in survivors]


def _function(name: str) -> str:
    return (
        re.sub(r"__mutmut_\d+$", "", name).replace(".x_", ".").replace(".xǁ", ".").replace("ǁ", ".")
    )


def outside_functions() -> tuple[int, list[Survivor]]:
    everyone = list(mutants())
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for path, tests in TESTS.items():
            sound = Mutant(path, (ROOT / path).read_text("utf-8"), "")
            broken = Mutant(path, "raise AssertionError", "")
            assert not _is_noticed(sound), f"{tests} fail without any change"
            assert _is_noticed(broken), f"{tests} do not run the changed {path}"
        noticed = list(workers.map(_is_noticed, everyone))
    pairs = zip(everyone, noticed, strict=True)
    return len(everyone), [(mutant.path, mutant.change) for mutant, seen in pairs if not seen]


def _is_noticed(mutant: Mutant) -> bool:
    with TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", folder, dirs_exist_ok=True)
        Path(folder, *Path(mutant.path).parts[1:]).write_text(mutant.text, "utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
            + TESTS[mutant.path],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    print("." if run.returncode else "S", end="", flush=True)
    return run.returncode != 0


def listed() -> Iterator[Survivor]:
    for one in tomllib.loads(LIST.read_text("utf-8")).get("survivor", []):
        assert one["why"].strip(), one
        yield one["where"], one["change"].strip()


def main() -> int:
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    found: list[Survivor] = []
    for kind in (outside_functions, of_functions):
        count, survivors = kind()
        print(f"\n{kind.__name__}: {count} mutants, {len(survivors)} survived")
        found += survivors
    known = list(listed())
    for where, change in sorted(set(found) - set(known)):
        print(f"\n[[survivor]]\nwhere = \"{where}\"\nchange = '''\n{change}'''\nwhy = \"\"")
    for where, change in sorted(set(known) - set(found)):
        print(f"\nlisted, but does not survive: {where}\n{change}")
    return int(set(found) != set(known))


if __name__ == "__main__":
    sys.exit(main())
