"""A reaction on two nodes: one is at work, and who slept past its lease saves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from serverdomain import Servers
from serverdomain.testing.contract import OTHER, SERVER, adopted, under

NODE = """
import sys
from threading import Semaphore
from serverdomain import Servers
from serverdomain.store.postgresql import leases

leases.LEASE_SECONDS = 1
may_go_on = Semaphore(0)

def say(*words):
    print(*words, flush=True)

def bill(happened):
    if happened.name != "ServerStopped":
        return
    say("told", happened.position, happened.number)
    if sys.argv[2] == "waits":
        may_go_on.acquire()
    done = servers.update_metadata(happened.server_id, {"billed": "yes"}, happened.context())
    say("again" if done.replayed else "done", happened.position)

with Servers.open(sys.argv[1]) as servers:
    keep = servers._log.keep_bookmark

    def keeping(place, instead_of, tip=None):
        kept = keep(place, instead_of, tip)
        say("kept" if kept else "lost", place.position)
        return kept

    servers._log.keep_bookmark = keeping
    servers.react("billing", bill, start="beginning")
    for line in sys.stdin:
        may_go_on.release()
"""


class Node:
    """A process that runs the reaction, and what it says."""

    def __init__(self, url: str, how: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NODE, url, how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self, line: str) -> None:
        """Read on until it says a line."""
        assert self.process.stdout is not None
        for said in self.process.stdout:
            if said == f"{line}\n":
                return
        raise AssertionError(f"it ended without saying {line}")

    def hears(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ends(self) -> list[str]:
        """What it says until it has ended."""
        return self.process.communicate()[0].splitlines()


@contextmanager
def node(url: str, how: str) -> Iterator[Node]:
    running = Node(url, how)
    with running.process:
        try:
            yield running
        finally:
            running.process.kill()


def test_a_node_that_slept_past_its_lease_saves_nothing_and_what_it_commands_happens_once(
    log_url: str,
) -> None:
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        servers.register(adopted(OTHER))
        with node(log_url, "waits") as sleeper:
            servers.stop(SERVER, under("req-stop"))
            sleeper.says("told 3 1")
            sleeper.process.send_signal(signal.SIGSTOP)
            with node(log_url, "works") as other:
                other.says("told 3 1")
                other.says("done 3")
                sleeper.process.send_signal(signal.SIGCONT)
                sleeper.hears()
                # It goes on where it fell asleep, and the log knows better.
                sleeper.says("again 3")
                sleeper.says("lost 3")
                servers.stop(OTHER, under("req-other"))
                other.says("done 5")
                assert [line for line in sleeper.ends() if line.startswith(("told", "kept"))] == []
        assert [one.name for one in servers.history(SERVER)] == [
            "ServerRegistered",
            "ServerStopped",
            "MetadataReplaced",
        ]
        assert servers.history(SERVER)[-1].caused_by == "req-stop"
        (place,) = servers.reactions()
        assert (place.name, place.stopped_at) == ("billing", None)


def test_a_reaction_goes_to_another_node_once_the_process_is_killed(log_url: str) -> None:
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        with node(log_url, "works") as one:
            servers.stop(SERVER, under("req-stop"))
            one.says("done 2")
            one.process.kill()
            with node(log_url, "works") as other:
                servers.start(SERVER)
                servers.stop(SERVER, under("req-again"))
                other.says("told 5 1")
                other.says("done 5")
