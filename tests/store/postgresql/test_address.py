"""A URL of PostgreSQL says where a log lies, and its password is nowhere else."""

from __future__ import annotations

import logging
import traceback

import pytest

from serverdomain import InvalidInput, StoreError
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.connections import Connections

SECRET = "seekr3t"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql://me:{SECRET}@db:5432/cloud", "postgresql://me@db:5432/cloud?schema=public"),
        (f"postgres://me:{SECRET}@/cloud", "postgresql://me@/cloud?schema=public"),
        (f"postgresql://db/cloud?schema=log&password={SECRET}", "postgresql://db/cloud?schema=log"),
        (
            f"postgresql://me:{SECRET}%3F@one:1,two:2/cloud?target_session_attrs=read-write",
            "postgresql://me@one:1,two:2/cloud?schema=public",
        ),
        (
            f"postgresql://me:a?b{SECRET}@/cloud?host=/run/pg&schema=log",
            "postgresql://me@/cloud?host=/run/pg&schema=log",
        ),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    address = Address(url)
    assert (str(address), repr(address)) == (shown, f"<{shown}>")
    assert SECRET in str(address.parameters()["password"])


WAITS = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")


def test_what_is_not_ours_in_a_url_is_libpqs() -> None:
    address = Address("postgresql://db/cloud?connect_timeout=3&schema=log&sslmode=require")
    assert address.schema == "log"
    given = {name: one for name, one in address.parameters().items() if name not in WAITS}
    assert given == {
        "application_name": "serverdomain",
        "host": "db",
        "dbname": "cloud",
        "connect_timeout": "3",
        "sslmode": "require",
    }


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"postgresql://me:{SECRET}%ZZ@db/cloud", "libpq cannot read"),
        (f"postgresql://me:{SECRET}@db/cloud?no_such=1", "libpq cannot read"),
        (f"postgresql:me:{SECRET}@db/cloud", "no URL of PostgreSQL"),
        (f"postgresql://me:{SECRET}@db/cloud?schema=a-b", "the schema 'a-b' came"),
        (f"postgresql://me:{SECRET}@db/cloud?schema=", "the schema '' came"),
        (f"postgresql://me:{SECRET}@db/cloud?schema={64 * 'a'}", "up to 63 letters"),
        (f"postgresql://me:{SECRET}@db/cloud?synchronous_commit=on", "off, local, remote_write"),
    ],
)
def test_what_is_no_url_is_refused_without_its_password(url: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^store: .*{why}") as refused:
        Address(url)
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_server_that_is_not_there_is_named_without_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(StoreError, match=r"^postgresql://me@127.0.0.1:1/cloud\S+ cannot be reached"),
    ):
        Connections(Address(f"postgresql://me:{SECRET}@127.0.0.1:1/cloud"))
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("url", "writes", "which"),
    [
        ("postgresql://one/cloud", True, None),
        ("postgresql://one:1,two:2/cloud", True, "read-write"),
        ("postgresql:///cloud?host=/one,/two", True, "read-write"),
        ("postgresql:///cloud?hostaddr=::1,::2", True, "read-write"),
        ("postgresql://one,two/cloud", False, None),
        ("postgresql://one,two/cloud?target_session_attrs=any", True, "any"),
        ("postgresql://one/cloud?target_session_attrs=primary", False, "primary"),
    ],
)
def test_of_several_hosts_one_is_taken_that_can_be_written(
    url: str, writes: bool, which: str | None
) -> None:
    assert Address(url).parameters(writes=writes).get("target_session_attrs") == which


def test_a_server_that_is_silent_is_waited_for_so_long_and_no_longer() -> None:
    given = Address("postgresql://one/cloud?keepalives_idle=3").parameters()
    assert (given["connect_timeout"], given["keepalives_idle"]) == (10, "3")
    assert {*WAITS} <= {*given}
