"""What is kept of texts is bounded by what they weigh, whatever a cloud's messages hold."""

import tracemalloc

import pytest

from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.short_texts import LONGEST, MOST, once_if_short
from serverdomain.errors import InvalidInput
from tests.adapters.incoming.cloud import encoded, message

LARGE = 100_000


def test_a_value_is_worked_out_once_for_a_short_text_and_each_time_for_a_long_one():
    asked = []
    length = once_if_short(lambda text: asked.append(text) or len(text))
    short, long = "a" * LONGEST, "a" * (LONGEST + 1)
    assert [length(text) for text in (short, long, short, long)] == [64, 65, 64, 65]
    assert asked == [short, long, long]


def test_of_very_many_short_texts_the_last_are_kept():
    asked = []
    length = once_if_short(lambda text: asked.append(text) or len(text))
    for number in [*range(MOST + 1), 1, 0]:
        length(str(number))
    assert asked[-1] == "0"
    assert len(asked) == MOST + 2


def test_nothing_large_is_kept_of_messages_with_ever_other_long_texts():
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100):
            long = f"{number}{'0' * LARGE}"
            nova.read(encoded(message("instance.update", host=long, tenant_id=long)))
            for late in ({"created_at": f"2026-03-01T08:00:00.{long}Z"}, {"at": f"2026.{long}"}):
                with pytest.raises(InvalidInput):
                    nova.read(encoded(message("instance.update", **late)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10 * LARGE
