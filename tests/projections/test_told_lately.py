"""A reaction knows what it was told lately, and whether it is there still."""

from __future__ import annotations

from serverdomain import Servers
from serverdomain.projections.told_lately import ToldLately
from serverdomain.store.log import Tip
from serverdomain.testing.contract import SERVER, adopted


def test_an_event_is_known_again_by_its_row_and_nothing_is_gone_of_a_log_that_grew() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        lately = ToldLately()
        with servers._log.reading() as reading:
            (told,) = reading.events_named(0, 10, [])[0]
            lately.tell(told)
            assert lately.last == reading.tip(1)
        servers.stop(SERVER)
        with servers._log.reading() as reading:
            assert lately.forget_gone(reading) is None
            assert lately.last == reading.tip(1)


def test_of_many_events_that_are_no_more_some_are_named() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        for number in range(20):
            servers.rename(SERVER, f"{number}")
        lately = ToldLately()
        with servers._log.reading() as reading:
            for told in reading.events_named(1, 1000, [])[0]:
                lately.tell(told)
        servers.forget()
        with servers._log.reading() as reading:
            words = lately.forget_gone(reading)
            assert words is not None
            assert "was told of 20 events that are no more: ServerRenamed of " in words
            assert f"of {SERVER} at 11 (" in words
            assert "at 12" not in words
            assert "and later ones" in words
            assert lately.last == Tip()
            assert lately.forget_gone(reading) is None
