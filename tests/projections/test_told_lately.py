"""A reaction knows what it was told lately, and whether it is there still."""

from __future__ import annotations

from serverdomain import Context, Servers
from serverdomain.projections.told_lately import MOST, ToldLately
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


def told_of_and_forgotten(renames: int) -> str:
    """What is said where a reaction was told of so many renames that are no more."""
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        lately = ToldLately()
        for number in range(renames):
            servers.rename(SERVER, f"{number}", Context(request_id=f"req-{number}"))
        with servers._log.reading() as reading:
            for told in reading.events_named(1, 2_000, [])[0]:
                lately.tell(told)
        servers.forget()
        with servers._log.reading() as reading:
            words = lately.forget_gone(reading)
        assert words is not None
        return words


def test_a_few_events_that_are_no_more_are_named_one_by_one() -> None:
    assert told_of_and_forgotten(2) == (
        "the log went back, and was told of 2 events that are no more: "
        f"ServerRenamed of {SERVER} at 2 (req-0), ServerRenamed of {SERVER} at 3 (req-1); "
        "resume it to go on behind them"
    )
    assert "at 11 (req-9);" in told_of_and_forgotten(10)
    assert "at 11 (req-9) and later ones;" in told_of_and_forgotten(11)


def test_the_latest_are_remembered_and_no_more_than_that() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        lately = ToldLately()
        with servers._log.reading() as reading:
            (told,) = reading.events_named(0, 10, [])[0]
        for _ in range(MOST + 1):
            lately.tell(told)
        servers.forget()
        with servers._log.reading() as reading:
            assert f"was told of {MOST} events" in str(lately.forget_gone(reading))
