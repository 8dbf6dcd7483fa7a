"""What only a process of its own shows: how it starts, what it prints to, how it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serverdomain.errors import ExtraMissing
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import PASSWORD, SERVER_ID, environment, process

SCRIPT = Path(sys.executable).with_name("serverdomain")
STORE = ("--store", "sqlite:///cloud.db")
FULL = Path("/dev/full")


@pytest.mark.parametrize("arguments", [["--help"], ["rebuild", "--help"], ["view", "--help"]])
def test_help_loads_nothing_of_what_a_command_needs(arguments: list[str], tmp_path: Path) -> None:
    asked = (
        "import sys; from serverdomain.adapters.cli import main\n"
        "try: main()\n"
        "finally: print('loaded:', *sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment(),
    )
    shown, _, loaded = ran.stdout.partition("loaded: ")
    assert shown.startswith("Usage: serverdomain ")
    assert "..." not in shown.partition("Commands:")[2], "no summary of a command is cut"
    assert "serverdomain.adapters.cli" in loaded.split()
    assert not {"eventsourcing", "msgspec", "pydantic", "sqlite_utils"} & set(loaded.split())
    assert "serverdomain.adapters.cli.tables" not in loaded.split()


def test_the_script_and_the_module_are_the_same_command(tmp_path: Path) -> None:
    script = subprocess.run(
        [SCRIPT, "list"], capture_output=True, text=True, check=False, env=environment()
    )
    module = process("list", folder=tmp_path)
    assert (script.returncode, script.stdout, script.stderr) == (2, "", module.stderr)
    assert module.stderr.startswith("serverdomain: missing option '--store'")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_one_sentence_names_it(missing: str, tmp_path: Path) -> None:
    # In a module's place, None stands for one that is not installed.
    asked = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['serverdomain', 'list']\n"
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    missing_extra = ExtraMissing("the command", missing, "cli")
    assert ran.stderr == f"serverdomain: {missing_extra}\n"


@pytest.mark.parametrize(
    ("missing", "extra", "words"),
    [
        ("jinja2", "audit", ["history", "--html", "history.html"]),
        ("jinja2", "audit", ["report", "rebuilds", "--html", "rebuilds.html"]),
        ("kombu", "bus", ["follow", "nova", "amqp://127.0.0.1:1/"]),
        ("pyarrow", "analysis", ["export", "history", "--format", "parquet"]),
        ("psycopg", "postgres", ["list", "--store", "postgresql://127.0.0.1:1/cloud"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_without_the_extra_of_what_is_asked_one_sentence_names_it(
    missing: str, extra: str, words: list[str], registered: Command, folder: Path
) -> None:
    asked = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked, *words, *(STORE if "--store" not in words else ())],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(),
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr == f"serverdomain: {ExtraMissing('the command', missing, extra)}\n"


def test_without_the_extra_of_a_patch_one_sentence_names_it(
    registered: Command, folder: Path
) -> None:
    asked = (
        "import sys; sys.modules['jsonpatch'] = None\n"
        f"sys.argv = ['serverdomain', 'diff', {SERVER_ID!r}, 'first', 'now', *sys.argv[1:]]\n"
        "from serverdomain.adapters.cli import main; main()"
    )
    told, patched = (
        subprocess.run(
            [sys.executable, "-c", asked, *STORE, *more],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=environment(),
        )
        for more in ([], ["--json"])
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert (patched.returncode, patched.stdout) == (3, "")
    missing_extra = ExtraMissing("the command", "jsonpatch", "audit")
    assert patched.stderr == f"serverdomain: {missing_extra}\n"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_an_answer_that_stdout_does_not_take_names_the_request_to_repeat(
    registered: Command, folder: Path
) -> None:
    with FULL.open("w") as full:
        rebuild = ("rebuild", SERVER_ID, "--request", "request.json", *STORE)
        lost = process(*rebuild, folder=folder, capture_output=False, stdout=full, stderr=-1)
    assert lost.returncode == 3
    assert lost.stderr.count("\n") == 1
    assert PASSWORD not in lost.stderr
    request_id = lost.stderr.partition("--request-id ")[2].split()[0]
    again = registered(*rebuild, "--request-id", request_id).server
    assert (again["status"], "adminPass" in again) == ("REBUILD", False)
    assert len(registered("history", SERVER_ID, "--json").json) == 5


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["show", SERVER_ID, *STORE], ["demo"]])
def test_a_full_stdout_is_one_line(registered: Command, folder: Path, arguments: list[str]) -> None:
    env = environment(TMPDIR=str(folder))
    with FULL.open("w") as full:
        lost = process(
            *arguments, folder=folder, capture_output=False, stdout=full, stderr=-1, env=env
        )
    assert (lost.returncode, lost.stderr.count("\n")) == (3, 1)
    assert "No space left on device" in lost.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_where_stderr_is_full_too_the_exit_code_speaks_alone(folder: Path) -> None:
    with FULL.open("w") as full:
        ran = process("list", *STORE, folder=folder, capture_output=False, stdout=full, stderr=full)
    assert ran.returncode == 3


@pytest.mark.parametrize(
    "arguments",
    [["show", SERVER_ID, *STORE], ["lock", SERVER_ID, *STORE], ["--help"], ["history", "--help"]],
)
def test_a_closed_pipe_is_silent(registered: Command, folder: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        ran = process(*arguments, folder=folder, capture_output=False, stdout=pipe, stderr=-1)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_stdout_that_is_closed_from_the_beginning_is_one_line(
    registered: Command, folder: Path
) -> None:
    asked = f"{sys.executable!r} -m serverdomain lock {SERVER_ID} {' '.join(STORE)} >&-"
    ran = subprocess.run(
        asked, shell=True, stderr=-1, text=True, check=False, cwd=folder, env=environment()
    )
    assert ran.returncode == 3
    assert ran.stderr.startswith("serverdomain: the answer cannot be printed: stdout is closed")
    assert "--request-id" in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["--help", "history --help", "report -h"])
def test_so_it_is_where_help_was_asked_for(words: str, folder: Path) -> None:
    asked = f"{sys.executable!r} -m serverdomain {words} >&-"
    ran = subprocess.run(
        asked, shell=True, stderr=-1, text=True, check=False, cwd=folder, env=environment()
    )
    lost = "serverdomain: the answer cannot be printed: stdout is closed\n"
    assert (ran.returncode, ran.stderr) == (3, lost)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("stderr", ["2>/dev/full", "2>&-"])
def test_where_nobody_can_be_told_that_an_extra_lacks_the_exit_code_speaks_alone(
    stderr: str, folder: Path
) -> None:
    asked = (
        "import sys; sys.modules['typer'] = None; sys.argv = ['serverdomain', 'list']; "
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        f'{sys.executable!r} -c "{asked}" {stderr}',
        shell=True,
        stdout=-1,
        text=True,
        check=False,
        cwd=folder,
        env=environment(),
    )
    assert (ran.returncode, ran.stdout) == (3, "")


def test_where_stderr_is_closed_stdout_holds_the_answer_alone(
    registered: Command, folder: Path
) -> None:
    for words, code, out in (
        ("list --name zzz --json", 0, '{\n  "servers": []\n}\n'),
        ("show", 2, ""),
    ):
        asked = f"{sys.executable!r} -m serverdomain {words} {' '.join(STORE)} 2>&-"
        ran = subprocess.run(
            asked, shell=True, stdout=-1, text=True, check=False, cwd=folder, env=environment()
        )
        assert (ran.returncode, ran.stdout) == (code, out)


def test_where_no_thread_can_be_started_it_is_one_line(folder: Path) -> None:
    # So large a stack as no machine has room for.
    asked = (
        "import sys, threading; threading.stack_size(1 << 46); "
        "sys.argv = ['serverdomain', 'serve', '--port', '0']; "
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(),
    )
    told = "serverdomain: the system says no: can't start new thread\n"
    assert (ran.returncode, ran.stderr) == (3, told)


def test_a_stdin_that_is_closed_is_one_line(registered: Command, folder: Path) -> None:
    asked = (
        f"{sys.executable!r} -m serverdomain rebuild {SERVER_ID} --request - {' '.join(STORE)} <&-"
    )
    ran = subprocess.run(
        asked, shell=True, stderr=-1, text=True, check=False, cwd=folder, env=environment()
    )
    closed = "serverdomain: --request: stdin is closed, a file is allowed\n"
    assert (ran.returncode, ran.stderr) == (2, closed)


def test_what_a_narrow_encoding_cannot_say_is_written_out(
    registered: Command, folder: Path
) -> None:
    registered("rename", SERVER_ID, "日本")
    env = environment(PYTHONIOENCODING="ascii")
    shown = process("show", SERVER_ID, *STORE, folder=folder, env=env)
    assert '"name": "\\u65e5\\u672c"' in shown.stdout
    listed = process("list", *STORE, folder=folder, env=env)
    assert "\\u65e5\\u672c" in listed.stdout
    assert (shown.stderr, listed.stderr) == ("", "")


def test_ctrl_c_is_quiet(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    # What a job in the background ignores, its children would, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = subprocess.Popen(
        [sys.executable, "-m", "serverdomain", "register", "--from", "fifo", *STORE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(),
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    # The file opens once the command reads it, which then waits for what never comes.
    with started as reading, (folder / "fifo").open("w"):
        reading.send_signal(signal.SIGINT)
        out, err = reading.communicate(timeout=60)
    assert (reading.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (
            "serverdomain re",
            ["register", "rebuild", "rename", "reset-state", "report", "reactions"],
        ),
        ("serverdomain reset-state x e", ["error"]),
        ("serverdomain list --j", ["--json"]),
        ("serverdomain list --status S", ["SHUTOFF"]),
        ("serverdomain history --event ImageC", ["ImageChanged"]),
        ("serverdomain ledger prove s", ["server:"]),
    ],
)
def test_the_shell_completes_words(words: str, completed: list[str], tmp_path: Path) -> None:
    env = environment(
        _SERVERDOMAIN_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    assert process(folder=tmp_path, env=env).stdout.split() == completed
