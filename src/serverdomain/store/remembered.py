"""The servers that were folded so far, as of one position of the log: up to there it is known.

It follows the log as a view does, so that nobody reads again what was folded before. What is
written here is taken over once it is committed. That it is the same log tells its row there.
"""

from __future__ import annotations

from threading import Lock

from msgspec.structs import replace

from serverdomain.domain.history import History
from serverdomain.domain.server import Server
from serverdomain.store.log import Log, News, Reading, Tip
from serverdomain.store.weighed import Weighed, weight

MOST_BYTES = 64 * 1024 * 1024
"""What the servers weigh that are remembered, at most."""

MOST_NEW = 10_000
"""Events behind what is remembered that are read; where there are more, all is forgotten."""

_TRIES = 5


class Remembered:
    """The servers of a log that were asked for; shared between threads."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._servers: Weighed[str, Server] = Weighed(MOST_BYTES)
        self._moving = Lock()
        self._tip = Tip()
        """What is remembered is as of here."""
        self._mark: int | None = None
        """As long as this is the log's, nothing was committed behind there."""

    def server(self, server_id: str) -> Server | None:
        """A server as it is now; deleted, it is one still, before its beginning it is ``None``.

        All is in it that was committed before it was asked for, whoever did.
        """
        if (server := self.server_at_once(server_id, self._log.asked_mark())) is not None:
            return server
        tip = Tip()
        for _ in range(_TRIES):
            seen, mark = self._tip, self._log.asked_mark()
            with self._log.reading() as reading:
                if tip != Tip() and reading.tip(tip.position) != tip:
                    server = None
                tip = self.bring_up(reading, seen)
                self._mark = mark
                if (known := self._servers.get(server_id)) is not None:
                    return own(known)
                server = reading.so_far(server_id, base=server).server
            if server is None or self.keep(server, tip):
                break  # Else it is read on: others moved on meanwhile.
        return server

    def server_at_once(self, server_id: str, mark: int | None) -> Server | None:
        """A server as of the log's ``mark``, if that is known without a look into the log."""
        if mark is None or mark != self._mark:
            return None
        # Behind the mark: what is read before it may be older than a commit that it knows.
        return (server := self._servers.get(server_id)) and own(server)

    def base(self, reading: Reading, server_id: str) -> Server | None:
        """What a reading may go on from, if it reads the same log; it may be behind or ahead."""
        server, tip = self._servers.get(server_id), self._tip
        return server if server is not None and reading.tip(tip.position) == tip else None

    def as_of(self, tip: Tip, server_id: str) -> Server | None:
        """A server as of a row, if that is what is remembered."""
        with self._moving:
            return self._servers.get(server_id) if self._tip == tip else None

    def is_at(self, tip: Tip) -> bool:
        """Whether a row is what all that is remembered is as of."""
        return self._tip == tip

    def grow(self, seen: Tip, news: list[News], tip: Tip) -> None:
        """Take in what was written here, right behind what was seen."""
        with self._moving:
            if self._tip == seen:
                self._fold_in(news)
                self._tip = tip

    def follow(self, reading: Reading) -> Tip:
        """Bring it up to what an engine reads that decides before it locks; gives back how far."""
        return self.bring_up(reading, self._tip)

    def beginning(self, reading: Reading, server_id: str) -> Server | None:
        """What a reading may go on from where nothing is remembered of a long history."""
        return self._log.beginning and self._log.beginning(reading, server_id)

    def bring_up(self, reading: Reading, seen: Tip) -> Tip:
        """Take in what a reading has that is not known; gives back up to where it reads.

        ``seen`` is what was known before the reading began.
        """
        tip = reading.tip()
        with self._moving:
            known = self._tip
            if tip == known or (tip.position <= known.position and known is not seen):
                return tip  # The others have come as far, or further.
            news = None
            is_near = tip.position <= known.position + MOST_NEW and len(self._servers) > 0
            if is_near and reading.tip(known.position) == known:
                news = reading.news(known.position, self._servers)
            if news is None:
                self._servers.clear()
                self._mark = None
            else:
                self._fold_in(news)
            self._tip = tip
        return tip

    def _fold_in(self, news: list[News]) -> None:
        grown: dict[str, History | None] = {}
        for server_id, fact in news:
            if server_id not in grown:
                base = self._servers.get(server_id)
                grown[server_id] = None if base is None else History(base=base)
            history = grown[server_id]
            # What is late has its place among facts that are not held.
            if history is not None and (fact is None or not history.take(fact)):
                grown[server_id] = None
        for server_id, history in grown.items():
            self._put(server_id, None if history is None else history.server)

    def _put(self, server_id: str, server: Server | None) -> None:
        if server is None:
            self._servers.drop(server_id)
        else:
            self._servers.put(server_id, own(server), weight(server))

    def keep(self, server: Server, tip: Tip) -> bool:
        """Remember a server as of where it was read, unless the others are elsewhere by now."""
        with self._moving:
            if self._tip != tip:
                return False
            self._put(server.id, server)
            return True

    def forget(self) -> None:
        """Forget all."""
        with self._moving:
            self._servers.clear()
            self._tip, self._mark = Tip(), None


class Ahead:
    """The servers as they will be once a transaction is committed; until then nobody sees them."""

    def __init__(self, remembered: Remembered, reading: Reading) -> None:
        self._remembered = remembered
        self._began = remembered.bring_up(reading, remembered._tip)
        self._histories: dict[str, History] = {}
        self.versions: dict[str, int] = {}
        """Up to which version those have events now that were appended to."""

    def history(self, server_id: str) -> History | None:
        """What is known of a server, with what was appended to it here; to be gone on from."""
        history = self._histories.get(server_id)
        if history is None and server_id not in self.versions:
            server = self._remembered._servers.get(server_id)
            history = None if server is None else self.read(server_id, History(base=server))
        if history is None or history.version < self.versions.get(server_id, 0):
            return None
        return history

    def beginning(self, reading: Reading, server_id: str) -> Server | None:
        """What a long history that nobody knows may go on from."""
        return self._remembered.beginning(reading, server_id)

    def read(self, server_id: str, history: History) -> History:
        """Go on from a history that was read."""
        self._histories[server_id] = history
        return history

    def appended(self, server_id: str, version: int) -> None:
        """Note up to which version a server has events now."""
        self.versions[server_id] = version

    def committed(self, tip: Tip) -> None:
        """Remember what was read and appended, which the log has now up to there."""
        remembered = self._remembered
        with remembered._moving:
            if remembered._tip not in (self._began, tip):
                return  # Others have read that already, and more.
            for server_id in self._histories.keys() | self.versions.keys():
                history = self.history(server_id)
                remembered._put(server_id, None if history is None else history.server)
            remembered._tip = tip


def own(server: Server) -> Server:
    """A server whose maps are its holder's to change, and not what others are given."""
    return replace(server, metadata=dict(server.metadata), addresses=dict(server.addresses))
