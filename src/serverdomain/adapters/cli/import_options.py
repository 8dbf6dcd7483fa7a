"""The options that imports share, and the way of files into the log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from typing import IO, TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.answers import complain, say, say_json, visible
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import flag, option
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput, StoreMissing, StoreReadOnly

if TYPE_CHECKING:
    from serverdomain.adapters.incoming.message import Read
    from serverdomain.adapters.incoming.rejects import Rejects
    from serverdomain.adapters.incoming.taking import Counts, Taker

_BETWEEN = 500  # Parts between two looks at how far a file was read.


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Whether to write, and what to tell."""

    dry_run: Annotated[bool, flag("--dry-run", "Say what would come in, and write nothing.")] = (
        False
    )
    rejects: Annotated[
        str | None, option("FILE", "Write what cannot be read here, each with its reason.")
    ] = None
    as_json: AsJson = False

    def take(
        self,
        files: Sequence[str],
        read: Read,
        store: StoreOptions,
        asked: Callable[[str], IO[bytes]] | None = None,
    ) -> None:
        """Take in the messages of files, and say what became of them.

        A URL is ``asked``, if it may be.
        """
        from serverdomain.adapters.cli.rejects_file import unusable
        from serverdomain.adapters.incoming.files import Files, told
        from serverdomain.adapters.incoming.taking import take_in

        urls = [name for name in files if asked and name.startswith(("http://", "https://"))]
        read_in = [name for name in files if name not in urls]
        try:
            ordered = Files(read_in, read)
        except (OSError, ValueError) as error:
            raise InvalidInput("FILE", unusable(error)) from None
        total = sum(os.path.getsize(name) for name in read_in if os.path.isfile(name))
        with self.taking(store, read_in) as (taker, rejects), progress_bar("import") as progress:
            for number, _ in enumerate(take_in(ordered, taker, rejects)):
                if total and number % _BETWEEN == 0:
                    progress(min(ordered.read_so_far, total), total)
            for url in urls:
                assert asked is not None
                for _ in take_in(told(asked(url), url, read), taker, rejects):
                    pass
            taker.write()
            rejects.keep()
        self.say(taker.counts, rejects)

    @contextmanager
    def taking(
        self, store: StoreOptions, read_in: Sequence[str] | None = None
    ) -> Iterator[tuple[Taker, Rejects]]:
        """What takes messages into the store, or in a dry run only counts them.

        Files, which are ``read_in``, can be read again: their rejects take the place of earlier
        ones. What a bus told cannot: its rejects go behind them.
        """
        from serverdomain.adapters.cli.rejects_file import rejects_file
        from serverdomain.adapters.incoming.rejects import Rejects
        from serverdomain.adapters.incoming.taking import Taking, Trying
        from serverdomain.store.opening import open_to_read

        if store.read_only and not self.dry_run:
            raise StoreReadOnly("nothing can be imported into a store that is only read here")
        with ExitStack() as opened:
            file: FileIO | None = None
            if self.rejects is not None:
                store.require_apart(self.rejects, "--rejects")
                file = rejects_file(self.rejects, read_in or (), behind=read_in is None)
                opened.enter_context(file)
            rejects = Rejects(file)
            if not self.dry_run:
                servers = opened.enter_context(store.open_to_write(create=True))
                yield Taking(servers, rejects), rejects
                return
            log = None
            with suppress(StoreMissing):  # A dry run makes no store.
                log = opened.enter_context(closing(open_to_read(store.url)))
            yield Trying(log, rejects), rejects

    def say(self, counts: Counts, rejects: Rejects) -> None:
        """Say what became of the messages; on stderr what was wrong with the first of them."""
        for line in rejects.said:
            complain(f"rejected: {line}")
        more = counts.rejected - len(rejects.said)
        if more > 0:
            complain(f"rejected: {more} more")
        if self.as_json:
            say_json(counts.as_json())
            return
        would = "would be " if self.dry_run else ""
        passed = counts.passed_over.total()
        say(
            f"{counts.read} messages: {counts.imported} {would}imported, "
            f"{counts.repeated} repeated, {passed} passed over, {counts.rejected} rejected"
        )
        for kind, number in counts.passed_over.most_common():
            say(f"  passed over: {number} {visible(kind)}")
