"""Events as stored: permanent names, canonical JSON, and old versions that are read today."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_any

from serverdomain import InvalidInput, StoreDamaged, UnknownEvent
from serverdomain.domain.events import (
    EVENTS,
    Event,
    ImageChanged,
    MetadataReplaced,
    ServerRenamed,
    ServerStopped,
)
from serverdomain.store.codec import CODEC, Codec
from serverdomain.testing import strategies

STORED = json.loads((Path(__file__).parents[1] / "data" / "stored-events.json").read_text())


@for_any(strategies.events() | strategies.refusals() | strategies.calls())
def test_every_event_survives_being_stored(event: Event) -> None:
    topic, state = CODEC.encode(event)

    assert CODEC.decode(topic, state, 1) == event
    assert CODEC.decode(topic, state.encode(), 1) == event
    assert CODEC.encode(CODEC.decode(topic, state, 1)) == (topic, state)


@for_any(strategies.events() | strategies.refusals() | strategies.calls())
def test_what_is_stored_is_canonical(event: Event) -> None:
    _, state = CODEC.encode(event)

    assert state == json.dumps(
        json.loads(state), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


@pytest.mark.parametrize("topic", STORED)
def test_what_was_ever_stored_is_read_and_written_as_it_was(topic: str) -> None:
    state = json.dumps(STORED[topic], separators=(",", ":"), sort_keys=True)

    assert CODEC.encode(CODEC.decode(topic, state, 1)) == (topic, state)


def test_an_example_of_every_event_is_kept() -> None:
    assert {topic.split(":")[1] for topic in STORED} == set(EVENTS)
    assert all(topic == f"serverdomain:{topic.split(':')[1]}:1" for topic in STORED)


@pytest.mark.parametrize(
    "topic",
    [
        "serverdomain:ServerPainted:1",
        "serverdomain:ImageChanged:2",
        "serverdomain:ImageChanged",
        "serverdomain:",
    ],
)
def test_an_event_of_a_newer_release_is_named_with_its_position(topic: str) -> None:
    with pytest.raises(UnknownEvent, match=r"position 77 .*newer release") as unknown:
        CODEC.decode(topic, "{}", 77)

    assert (unknown.value.topic, unknown.value.position) == (topic, 77)


class ImageReplaced(ImageChanged, frozen=True):
    """What a third version of `ImageChanged` may look like, under another class."""

    reason: str


def image_became_an_object(members: dict[str, Any]) -> dict[str, Any]:
    return {"image": {"id": members["image_id"]}}


def image_got_a_reason(members: dict[str, Any]) -> dict[str, Any]:
    return {"image_id": members["image"]["id"], "reason": "unknown"}


def test_an_old_version_walks_up_to_todays_class() -> None:
    codec = Codec(
        {"ImageChanged": ImageReplaced},
        {"ImageChanged": (image_became_an_object, image_got_a_reason)},
    )
    today = ImageReplaced("70a5", "asked")

    assert codec.decode("serverdomain:ImageChanged:1", '{"image_id":"70a5"}', 1) == ImageReplaced(
        "70a5", "unknown"
    )
    assert codec.decode(
        "serverdomain:ImageChanged:2", '{"image":{"id":"70a5"}}', 1
    ) == ImageReplaced("70a5", "unknown")
    assert codec.encode(today) == (
        "serverdomain:ImageChanged:3",
        '{"image_id":"70a5","reason":"asked"}',
    )
    assert codec.decode(*codec.encode(today), 1) == today


def test_only_an_event_that_changed_has_another_version() -> None:
    codec = Codec(steps={"ImageChanged": (image_became_an_object,)})

    assert codec.encode(ImageChanged("70a5"))[0] == "serverdomain:ImageChanged:2"
    assert codec.encode(MetadataReplaced({"b": "1", "a": "2"})) == (
        "serverdomain:MetadataReplaced:1",
        '{"metadata":{"a":"2","b":"1"}}',
    )
    with pytest.raises(UnknownEvent):
        codec.decode("serverdomain:ImageChanged:0", "{}", 1)


@pytest.mark.parametrize("state", ['{"name":5}', "{}", "nonsense", "", b"\xff"])
def test_a_stored_event_that_is_no_longer_sound_is_named_with_its_position(
    state: str | bytes,
) -> None:
    with pytest.raises(
        StoreDamaged, match=r"^position 77 of the log holds a 'serverdomain:ServerRenamed:1' "
    ):
        CODEC.decode("serverdomain:ServerRenamed:1", state, 77)


@pytest.mark.parametrize(
    ("poison", "told"),
    [
        (ImageChanged(5), "a ImageChanged came that cannot be kept: Expected `str`"),
        (ServerRenamed(None), "a ServerRenamed came that cannot be kept: Expected `str`"),
        (
            ServerRenamed("\ud800"),
            "a ServerRenamed came that cannot be kept: a lone surrogate has no UTF-8 form$",
        ),
        ("ServerStopped", "a str came, an event is allowed$"),
        (None, "a NoneType came, an event is allowed$"),
    ],
)
def test_what_could_not_be_read_again_is_not_stored(poison: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=f"^event: {told}"):
        CODEC.encode(poison)


def test_facts_have_one_hash_as_they_are_stored() -> None:
    """Retries of what an older release recorded compare it: it stays byte for byte."""
    facts = [ServerRenamed("ü"), ImageChanged("a")]
    stored = (
        'serverdomain:ServerRenamed:1\n{"name":"ü"}\nserverdomain:ImageChanged:1\n{"image_id":"a"}'
    )
    assert CODEC.sha256(facts) == hashlib.sha256(stored.encode()).hexdigest()
    assert CODEC.sha256(facts[::-1]) != CODEC.sha256(facts)


def test_a_list_that_grew_is_encoded_anew() -> None:
    events: list[Event] = [ServerStopped()]
    assert len(CODEC.encode_all(events)) == 1
    events.append(ServerStopped())
    assert len(CODEC.encode_all(events)) == 2
