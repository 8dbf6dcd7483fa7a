"""Where a log lies in PostgreSQL, read from a URL; nothing that shows it shows a password.

What stands behind the question mark is libpq's, ``schema`` and ``synchronous_commit`` apart.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput

_URL = re.compile(r"(postgres(?:ql)?://(?:[^@/]*@)?[^?]*)(?:\?(.*))?", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_ALLOWED = "postgresql://user@host:5432/database?schema=name is allowed"

ANSWER_SECONDS = 10
"""How long a server may take to let a connection in, or to answer its first statement."""

_SILENCE = {
    "connect_timeout": ANSWER_SECONDS,
    # A machine that went away without a word is noticed in about half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

LOWER = ("off", "local", "remote_write")
"""What ``synchronous_commit`` may be asked to be, lower than PostgreSQL's own default."""


class Address:
    """A schema of a database, and how to connect to that."""

    def __init__(self, url: str) -> None:
        """Raise `InvalidInput` for what is no such URL."""
        found = _URL.fullmatch(url)
        if found is None:
            raise InvalidInput("store", f"what came is no URL of PostgreSQL, {_ALLOWED}")
        base, query = found.groups(default="")
        ours = {"schema": "public", "synchronous_commit": ""}
        theirs = []
        for part in query.split("&"):
            name, _, value = part.partition("=")
            if name in ours:
                ours[name] = unquote(value)
            else:
                theirs.append(part)
        self.schema = _schema(ours["schema"])
        self.synchronous_commit = _synchronous_commit(ours["synchronous_commit"])
        try:
            self._libpq = conninfo_to_dict("?".join([base, *filter(None, ["&".join(theirs)])]))
        except ProgrammingError:
            # libpq says what it stumbled over, which may be the password.
            raise InvalidInput("store", f"a URL came that libpq cannot read, {_ALLOWED}") from None

    def parameters(self, *, writes: bool = True) -> dict[str, str | int]:
        """What libpq connects with, the password among it.

        Of several hosts one is taken that can be written, where that is meant.
        """
        given = {name: value for name, value in self._libpq.items() if value is not None}
        hosts = f"{given.get('host', '')},{given.get('hostaddr', '')}".strip(",")
        of_many = {"target_session_attrs": "read-write"} if writes and "," in hosts else {}
        return {"application_name": "serverdomain", **_SILENCE, **of_many, **given}

    def __str__(self) -> str:
        of = self._libpq.get
        who = "" if of("user") is None else f"{of('user')}@"
        where = str(of("host") or of("hostaddr") or "")
        ports = str(of("port") or "")
        if "/" in where:
            return f"postgresql://{who}/{of('dbname') or ''}?host={where}&schema={self.schema}"
        hosts = where.split(",")
        named = ports.split(",") if "," in ports else [ports] * len(hosts)
        there = ",".join(
            f"{host}:{port}" if port else host for host, port in zip(hosts, named, strict=False)
        )
        return f"postgresql://{who}{there}/{of('dbname') or ''}?schema={self.schema}"

    def __repr__(self) -> str:
        return f"<{self}>"


def _schema(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "store", f"the schema {shown(name)} came, up to 63 letters, digits and _ are allowed"
        )
    return name


def _synchronous_commit(value: str) -> str | None:
    if value and value not in LOWER:
        raise InvalidInput(
            "store", f"synchronous_commit={shown(value)} came, {', '.join(LOWER)} are allowed"
        )
    return value or None
