"""`follow nova` goes on with what an earlier run left."""

from pathlib import Path

from tests.adapters.cli.conftest import Command
from tests.adapters.incoming.test_bus import publish, url

__all__ = ["url"]


def test_rejects_of_an_earlier_run_stay(url: str, command: Command) -> None:
    for number in range(2):
        publish(url, [b"{half"])
        ran = command("follow", "nova", url, "--seconds", "0.7", "--rejects", "rejects")
        assert ran.code == 0
        assert Path("rejects").read_bytes().count(b"\n") == number + 1
