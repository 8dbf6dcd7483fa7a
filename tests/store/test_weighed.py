"""What is kept within a bound in bytes."""

from serverdomain.store.weighed import Weighed


def test_what_was_not_asked_for_the_longest_makes_room() -> None:
    kept: Weighed[str, int] = Weighed(30)
    for number, key in enumerate("abc"):
        kept.put(key, number, 10)
    assert kept.get("a") == 0
    kept.put("d", 3, 10)
    assert [kept.get(key) for key in "abcd"] == [0, None, 2, 3]
    assert (kept.weight, len(kept)) == (30, 3)


def test_one_that_weighs_more_takes_the_place_of_as_many_as_it_needs() -> None:
    kept: Weighed[str, int] = Weighed(30)
    for key in "abc":
        kept.put(key, 0, 10)
    kept.put("d", 1, 11)
    assert [kept.get(key) for key in "abcd"] == [None, None, 0, 1]
    assert kept.weight == 21


def test_a_value_takes_the_place_of_the_one_before() -> None:
    kept: Weighed[str, int] = Weighed(30)
    kept.put("a", 1, 30)
    kept.put("a", 2, 20)
    assert (kept.get("a"), kept.weight, len(kept)) == (2, 20, 1)


def test_what_alone_weighs_too_much_is_not_kept_and_moves_nobody_out() -> None:
    kept: Weighed[str, int] = Weighed(30)
    kept.put("a", 1, 10)
    kept.put("b", 1, 10)
    kept.put("b", 2, 31)
    assert (kept.get("a"), kept.get("b"), kept.weight) == (1, None, 10)


def test_all_is_forgotten_at_once() -> None:
    kept: Weighed[str, int] = Weighed(30)
    kept.put("a", 1, 30)
    kept.clear()
    assert (kept.get("a"), kept.weight) == (None, 0)
    kept.put("b", 1, 30)
    assert kept.get("b") == 1
