"""What an error says of itself."""

from __future__ import annotations

import json
import pickle
import shlex
import sys
from collections.abc import Callable
from copy import copy, deepcopy
from pathlib import Path

import pytest

from serverdomain.errors import (
    ExtraMissing,
    InvalidBody,
    InvalidInput,
    OutcomeUnknown,
    Refused,
    ServerdomainError,
    UnknownEvent,
)

INSTALLED = {
    "a clone": (
        {"url": "file:///srv/it%27s/serverdomain", "dir_info": {}},
        ["/srv/it's/serverdomain[http]"],
    ),
    "a clone that is edited": (
        {"url": "file:///srv/serverdomain", "dir_info": {"editable": True}},
        ["-e", "/srv/serverdomain[http]"],
    ),
    "a wheel": (
        {"url": "file:///srv/the%20wheel", "archive_info": {}},
        ["/srv/the wheel[http]"],
    ),
    "a repository": (
        {"url": "https://hg.example.com/serverdomain", "vcs_info": {"vcs": "hg"}},
        ["serverdomain[http] @ hg+https://hg.example.com/serverdomain"],
    ),
    "an archive": (
        {"url": "https://example.com/serverdomain", "archive_info": {}},
        ["serverdomain[http] @ https://example.com/serverdomain"],
    ),
}


@pytest.mark.parametrize("origin", INSTALLED)
def test_a_missing_extra_is_installed_from_where_the_library_came_from(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, arguments = INSTALLED[origin]
    installed(tmp_path, recorded, monkeypatch)
    error = ExtraMissing("serve", "uvicorn", "http")
    said, _, command = str(error).removesuffix(" brings it").partition("; ")
    assert said == "serve needs uvicorn, which is not installed"
    assert shlex.split(command) == ["pip", "install", *arguments]
    assert (error.name, error.extra) == ("uvicorn", "http")


def test_where_another_pip_comes_first_ours_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, {"url": "file:///srv/serverdomain", "dir_info": {}}, monkeypatch)
    (tmp_path / "pip.py").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    _, _, command = str(ExtraMissing("serve", "uvicorn", "http")).partition("; ")
    python, *words = shlex.split(command.removesuffix(" brings it"))
    assert python == sys.executable
    assert words == ["-m", "pip", "install", "/srv/serverdomain[http]"]


def test_where_nothing_is_recorded_it_came_from_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, None, monkeypatch)
    assert str(ExtraMissing("serve", "uvicorn", "http")) == (
        "serve needs uvicorn, which is not installed; "
        "pip install 'serverdomain[http]' (from the index that it came from) brings it"
    )


def test_a_missing_extra_is_an_error_of_ours_and_one_of_an_import() -> None:
    error = ExtraMissing("serve", "uvicorn", "http")
    assert isinstance(error, ServerdomainError)
    assert isinstance(error, ModuleNotFoundError)


RAISED = {
    InvalidInput("name", "'' came, 1 to 255 characters are allowed"): ["field"],
    InvalidBody("body", "is no JSON", status=415, fault="badMediaType"): [
        "field",
        "status",
        "fault",
    ],
    Refused("lock", "it is locked"): ["rule", "version"],
    ExtraMissing("serve", "uvicorn", "http"): ["name", "extra"],
    UnknownEvent("serverdomain:ServerMoved:1", 7): ["topic", "position"],
    OutcomeUnknown("req-1", "the disk is full"): ["request_id"],
}


def kinds(of: type[ServerdomainError]) -> set[type[ServerdomainError]]:
    return {of}.union(*map(kinds, of.__subclasses__()))


def test_every_kind_that_is_made_of_more_than_its_message_is_tried() -> None:
    own = {kind for kind in kinds(ServerdomainError) if "__init__" in vars(kind)}
    assert {kind for kind in own if kind.__module__ == ServerdomainError.__module__} == {
        type(error) for error in RAISED
    }


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy, deepcopy])
@pytest.mark.parametrize("raised", RAISED, ids=lambda one: type(one).__name__)
def test_an_error_comes_whole_out_of_another_process(
    raised: ServerdomainError, again: Callable[[ServerdomainError], ServerdomainError]
) -> None:
    raised.add_note("while it was tried")
    came = again(raised)
    assert type(came) is type(raised)
    assert (str(came), came.args) == (str(raised), raised.args)
    for name in (*RAISED[raised], "__notes__"):
        assert getattr(came, name) == getattr(raised, name)


def installed(folder: Path, origin: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an installation of the library be found that records where it came from."""
    about = folder / "serverdomain-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: serverdomain\nVersion: 1\n", "utf-8")
    if origin is not None:
        (about / "direct_url.json").write_text(json.dumps(origin), "utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
