"""Where a store lies: URLs as SQLAlchemy writes them, odd paths, and files that are not ours."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import (
    InvalidInput,
    NotFound,
    Servers,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreMissing,
)
from serverdomain.store.sqlite.place import Place
from serverdomain.testing.store_contract import SERVER, adopted


@pytest.mark.parametrize(
    "name",
    ["a b.db", "a?b.db", "a#b.db", "%20.db", "é 漢.db", "a&mode=ro.db", ":memory:x.db", "'\".db"],
)
def test_any_file_name_works_as_it_is(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/{name}"
    with Servers.open(url) as servers:
        servers.register(adopted())
        servers.list()
    with Servers.open(url, create=False) as servers:
        assert servers.get(SERVER).id == SERVER

    assert {path.name for path in tmp_path.iterdir()} == {
        name,
        f"{name.removesuffix('.db')}.view.db",
        f"{name}._view.lock",
    }


def test_a_relative_path_is_settled_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Servers.open("sqlite:///cloud.db") as servers:
        monkeypatch.chdir(tmp_path / "elsewhere")
        servers.register(adopted())
        servers.list()

    assert {path.name for path in tmp_path.iterdir()} == {
        "cloud.db",
        "cloud.db._view.lock",
        "cloud.view.db",
        "elsewhere",
    }
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_store_named_otherwise_gets_its_view_appended(tmp_path: Path) -> None:
    with Servers.open(f"sqlite:///{tmp_path}/cloud.sqlite") as servers:
        assert servers.view.path == tmp_path / "cloud.sqlite-view.db"


def test_no_two_logs_share_a_place() -> None:
    names = ["cloud", "cloud.db", "cloud.db.db", ".db", "db", "cloud.view", "cloud.view.db", "a.b"]
    names += [f"{name}-{what}" for name in names for what in ("view.db", "keyframes", "view")]
    made: list[object] = []
    for name in names:
        place = Place(Path("/") / name)
        made += [place.beside("view").path, place.beside("timeline").path, place.keyframes()]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("url", ["memory:", ":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_gone_when_it_is_closed(url: str) -> None:
    with Servers.open(url) as servers:
        servers.register(adopted())
        assert servers.view.path is None
    with Servers.open(url) as servers, pytest.raises(NotFound):
        servers.get(SERVER)


class Named:
    """A path object that is no `Path`."""

    def __init__(self, name: str | bytes) -> None:
        self.name = name

    def __fspath__(self) -> str | bytes:
        return self.name


@pytest.mark.parametrize(
    ("store", "file"),
    [
        ("cloud.db", "cloud.db"),
        ("./cloud.db", "cloud.db"),
        ("folder/../cloud.db", "folder/../cloud.db"),
        ("sqlite:///cloud.db", "cloud.db"),
        (Path("cloud.db"), "cloud.db"),
        (Named("cloud.db"), "cloud.db"),
        # One letter is a drive, and what is no scheme a name like any other.
        ("c:cloud.db", "c:cloud.db"),
        (":memory", ":memory"),
        ("my_cloud:1", "my_cloud:1"),
        ("1st:cloud", "1st:cloud"),
        ("é:cloud", "é:cloud"),
        ("a cloud:1", "a cloud:1"),
        # A path object is a file whatever its name, and so is what a string calls one.
        (Path("memory:"), "memory:"),
        (Path(":memory:"), ":memory:"),
        (Named("memory:"), "memory:"),
        (Path("sqlite:cloud.db"), "sqlite:cloud.db"),
        ("./memory:", "memory:"),
        ("sqlite:///memory:", "memory:"),
    ],
)
def test_a_store_is_named_by_a_path_as_well_as_by_a_url(
    store: str | Path, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with Servers.open(store) as servers:
        servers.register(adopted())

    assert (tmp_path / file).is_file()
    with Servers.open(tmp_path / file, create=False) as servers:
        assert servers.get(SERVER).id == SERVER


@pytest.mark.parametrize(
    "store",
    [
        *("", "sqlite:cloud.db", "sqlite:///", "sqlite:/cloud.db", "mysql://x", "ab:cloud.db"),
        *("memory:cloud.db", "Memory:", "file:cloud.db", "a1+b-c.d:cloud.db"),
        *(Named(b"cloud.db"), "cloud\ud800.db"),
    ],
)
def test_what_names_no_store_is_refused_with_the_forms_that_are_allowed(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=r"^store: .*(is allowed|can have this name)$"):
        Servers.open(store)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("store", [7, None, b"cloud.db"])
def test_what_is_neither_text_nor_a_path_is_refused_by_the_name_of_its_parameter(
    store: object,
) -> None:
    with pytest.raises(InvalidInput, match=r"^store: .* came, a string or a path is allowed$"):
        Servers.open(store)  # type: ignore[arg-type]


def test_a_path_with_a_nul_is_none() -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        Servers.open("sqlite:///a\0b.db")


def test_a_missing_store_is_made_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        StoreMissing,
        match=r"there is no store at .*: serverdomain create, register or generate makes one",
    ):
        Servers.open(f"sqlite:///{tmp_path}/cloud.db", create=False)

    assert not list(tmp_path.iterdir())


def test_an_empty_file_counts_as_missing(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    path.touch()
    with pytest.raises(StoreMissing):
        Servers.open(f"sqlite:///{path}", create=False)
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())

    assert path.stat().st_size > 0


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"folder .*no does not exist"):
        Servers.open(f"sqlite:///{tmp_path}/no/cloud.db")


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 77")
        connection.execute("CREATE TABLE theirs (a)")
        connection.commit()


def a_database_of_nobody(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
        connection.commit()


def text(path: Path) -> None:
    path.write_text("not a database, but a text that is longer than any header " * 10)


def a_short_text(path: Path) -> None:
    path.write_text("x")


def a_view(path: Path) -> None:
    with Servers.open("sqlite:///other.db", view=path) as servers:
        servers.list()


@pytest.mark.parametrize(
    "theirs", [another_database, a_database_of_nobody, text, a_short_text, a_view]
)
def test_a_file_with_something_else_in_it_is_refused_and_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: object
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cloud.db"
    theirs(path)  # type: ignore[operator]
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}

    with pytest.raises((StoreForeign, StoreDamaged), match=r"cloud\.db is"):
        Servers.open(f"sqlite:///{path}")

    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreForeign, match="is a folder"):
        Servers.open(f"sqlite:///{tmp_path}")


def test_a_damaged_store_is_told_in_one_line_and_never_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
    broken = bytearray(path.read_bytes())
    broken[4096:] = b"\xff" * (len(broken) - 4096)
    path.write_bytes(broken)

    with pytest.raises(StoreError) as error, Servers.open(f"sqlite:///{path}") as servers:
        servers.get(SERVER)

    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == broken


def test_what_is_no_ordinary_file_is_no_store_and_nothing_is_made_beside_it(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for create in (True, False):
        with pytest.raises(StoreForeign, match="fifo is no ordinary file, a file is allowed"):
            Servers.open(fifo, create=create)
    assert [*tmp_path.iterdir()] == [fifo]
