"""A process that has a store open may be forked, and the child's own store is as good as any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BEGINNING = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")
os.environ["SERVERDOMAIN_LOCK_TIMEOUT"] = "5"
from serverdomain import Servers, StoreError
from serverdomain.store.sqlite import forks
from serverdomain.testing.store_contract import SERVER, adopted

forks.PATIENCE = 60  # However long a commit takes on a busy disk.
url = sys.argv[1]
servers = Servers.open(url)
servers.register(adopted())
servers.list()
servers.get(SERVER)

def in_a_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print("child:", type(error).__name__, error, flush=True)
            os._exit(1)
    return child

def ended(child):
    return os.waitpid(child, 0)[1] == 0
"""


def forked(script: str, tmp_path: Path) -> list[str]:
    """What a process of its own prints; forking one that has threads is nobody's business here."""
    run = subprocess.run(
        [sys.executable, "-c", BEGINNING + script, f"sqlite:///{tmp_path / 'cloud.db'}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


def test_a_child_forked_while_others_write_can_write(tmp_path: Path) -> None:
    script = """
def write():
    with Servers.open(url, create=False) as own:
        own.update_metadata(SERVER, {f"child {os.getpid()}": "x"})

done = threading.Event()
def work():
    while not done.is_set():
        servers.update_metadata(SERVER, {"parent": os.urandom(4).hex()})
        servers.history(SERVER)
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
children = [in_a_child(write) for _ in range(4)]
done.set()
[thread.join() for thread in threads]
print([ended(child) for child in children])
print(len(servers.get(SERVER).metadata), [finding.what for finding in servers.check()])
"""
    assert forked(script, tmp_path) == ["[True, True, True, True]", "5 []"]


def test_what_a_child_was_told_outlives_its_parents_closing(tmp_path: Path) -> None:
    """The child has locks of its own: whoever closes last in the parent sees them."""
    script = """
here, there = os.pipe(), os.pipe()
def write():
    with Servers.open(url, create=False) as own:
        own.rename(SERVER, "one")
        os.write(here[1], b"x")
        os.read(there[0], 1)
        own.rename(SERVER, "two")
child = in_a_child(write)
os.read(here[0], 1)
servers.rename(SERVER, "three")
servers.close()
os.write(there[1], b"x")
print(ended(child))
with Servers.open(url) as anew:
    print([entry.name for entry in anew.history(SERVER)], anew.get(SERVER).name)
"""
    assert forked(script, tmp_path) == [
        "True",
        "['ServerRegistered', 'ServerRenamed', 'ServerRenamed', 'ServerRenamed'] two",
    ]


def test_the_parent_goes_on_and_forgets_what_it_remembered(tmp_path: Path) -> None:
    script = """
def write():
    with Servers.open(url, create=False) as own:
        own.rename(SERVER, "by a child")
for _ in range(3):
    servers.get(SERVER)
    print(ended(in_a_child(write)), servers.get(SERVER).name, servers.list()[0].name)
    servers.rename(SERVER, "by its parent")
"""
    assert forked(script, tmp_path) == ["True by a child by a child"] * 3


def test_a_child_of_a_thread_that_is_reading_is_told_so(tmp_path: Path) -> None:
    script = """
def ask():
    for _ in range(2):
        try:
            Servers.open(url, create=False)
        except StoreError as error:
            print(str(error).partition("cloud.db ")[2], flush=True)
with servers._log.reading() as reading:
    child = in_a_child(ask)
    print(ended(child), reading.head())
servers.rename(SERVER, "goes on")
print(servers.get(SERVER).name)
"""
    told = (
        "was in use when this process was forked, which SQLite does not outlive: fork when nobody "
        "uses it, or start a process that is no copy (spawn)"
    )
    assert forked(script, tmp_path) == [told, told, "True 1", "goes on"]


def test_a_fork_waits_for_other_threads_for_so_long_and_no_longer(tmp_path: Path) -> None:
    script = """
forks.PATIENCE = 0.1
reads, may_end = threading.Event(), threading.Event()
def read():
    with servers._log.reading() as reading:
        reads.set()
        may_end.wait()
        print(reading.head(), flush=True)
thread = threading.Thread(target=read)
thread.start()
reads.wait()
def ask():
    try:
        Servers.open(url, create=False)
    except StoreError as error:
        print("was in use" in str(error), flush=True)
print(ended(in_a_child(ask)))
may_end.set()
thread.join()
print(ended(in_a_child(lambda: Servers.open(url, create=False).rename(SERVER, "x"))))
"""
    assert forked(script, tmp_path) == ["True", "True", "1", "True"]


def test_a_child_that_outlives_its_parent_keeps_none_of_its_locks(tmp_path: Path) -> None:
    script = """
here, there = os.pipe(), os.pipe()
def work():
    with Servers.open(url) as own, own._log.alone("billing") as mine:
        in_a_child(lambda: os.read(there[0], 1))
        with own._log.alone("billing") as still:
            os.write(here[1], b"+" if mine and not still else b"-")
        os._exit(0)
ended(in_a_child(work))
# Its child lives on, and lets go as soon as it begins to run.
with servers._log.alone("billing", 20) as mine:
    print(os.read(here[0], 1), mine)
os.write(there[1], b"x")
"""
    assert forked(script, tmp_path) == ["b'+' True"]


def test_a_store_in_memory_does_not_keep_a_fork_waiting(tmp_path: Path) -> None:
    script = """
servers.close()
forks.PATIENCE = 3600
with Servers.open("memory:") as held:
    held.register(adopted())
    with held._log.reading() as reading:
        print(ended(in_a_child(lambda: Servers.open(url).rename(SERVER, "x"))), reading.head())
"""
    assert forked(script, tmp_path) == ["True 1"]
