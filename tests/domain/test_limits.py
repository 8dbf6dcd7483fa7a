"""What a value may be, at every edge of it."""

from types import MappingProxyType
from uuid import UUID

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from serverdomain.domain import limits
from serverdomain.errors import InvalidInput
from serverdomain.testing import strategies

CANONICAL = "70a599e0-31e7-49b7-b260-868f441e862b"
BARE = CANONICAL.replace("-", "")
SURROGATE = "\ud800"


def refused(check, value: object) -> str:
    with pytest.raises(InvalidInput) as no:
        check("field", value)
    assert no.value.field.startswith("field")
    assert str(no.value).startswith("field")
    assert len(str(no.value).splitlines()) == 1
    return str(no.value)


# Text


def test_text_is_any_string_that_has_a_utf_8_form() -> None:
    for value in ("", "plain", "größe", "\U0001f600", "\x00\n"):
        assert limits.text("field", value) is value


@pytest.mark.parametrize("bad", [None, 7, b"bytes", ["list"], True])
def test_what_is_no_string_is_shown(bad: object) -> None:
    assert refused(limits.text, bad) == f"field: {bad!r} came, a string is allowed"


@pytest.mark.parametrize("bad", [SURROGATE, f"a{SURROGATE}b", "\udfff"])
def test_a_lone_surrogate_is_no_text(bad: str) -> None:
    assert refused(limits.text, bad) == (
        f"field: {bad!a} has a lone surrogate, text with a UTF-8 form is allowed"
    )


def test_text_is_counted_in_characters() -> None:
    assert limits.text("field", "é" * 3, shortest=3, longest=3) == "ééé"
    with pytest.raises(InvalidInput) as no:
        limits.text("field", "abcd", shortest=2, longest=3)
    assert str(no.value) == "field: 4 characters came ('abcd'), 2 to 3 are allowed"
    with pytest.raises(InvalidInput) as no:
        limits.text("field", "", shortest=1)
    assert str(no.value) == "field: 0 characters came (''), at least 1 are allowed"


def test_text_gives_its_bytes() -> None:
    assert limits.utf_8("field", "é") == b"\xc3\xa9"


def test_what_came_is_shown_on_one_short_line() -> None:
    assert limits.shown("a\nb\u2028c") == r"'a\nb\u2028c'"
    assert limits.shown("x" * 58) == f"'{'x' * 58}'"
    assert limits.shown("x" * 59) == f"'{'x' * 59}…"


# Names


@pytest.mark.parametrize("name", ["x", " x ", "n" * 255, "é" * 255, "\U0001f600" * 255, "0"])
def test_a_name_has_1_to_255_characters(name: str) -> None:
    assert limits.server_name("name", name) == name


@pytest.mark.parametrize("bad", ["", "n" * 256, "é" * 256, None, 7, SURROGATE])
def test_a_name_has_no_more_and_no_fewer(bad: object) -> None:
    refused(limits.server_name, bad)


@pytest.mark.parametrize("blank", [" ", "\t\n", "\u3000", "\xa0" * 255])
def test_a_name_is_not_blank(blank: str) -> None:
    assert "is blank, a visible name is allowed" in refused(limits.server_name, blank)


# UUIDs


@pytest.mark.parametrize(
    "form",
    [
        CANONICAL,
        CANONICAL.upper(),
        CANONICAL.title(),
        BARE,
        BARE.upper(),
        "-".join(BARE),
        f"-{BARE}-",
        f"{{{CANONICAL}}}",
        f"{{{BARE}",
        f"urn:uuid:{CANONICAL}",
        f"urn:{CANONICAL}",
        f"uuid:{CANONICAL}",
        UUID(CANONICAL),
    ],
)
def test_a_uuid_of_any_form_is_made_canonical(form: object) -> None:
    assert limits.canonical_uuid("field", form) == CANONICAL


@pytest.mark.parametrize(
    "bad",
    [
        "",
        CANONICAL[:-1],
        f"{CANONICAL}0",
        f" {CANONICAL}",
        f"{CANONICAL} ",
        f"{CANONICAL}\n",
        f"URN:UUID:{CANONICAL}",
        f"http://openstack.example.com/openstack/images/{CANONICAL}",
        f"g{CANONICAL[1:]}",
        f"0x{BARE[2:]}",
        f"+{BARE[1:]}",
        f"{BARE[:15]}_{BARE[16:]}",
        "\u0667" * 32,
        "{}",
        "urn:uuid:",
        SURROGATE,
        None,
        7,
        CANONICAL.encode(),
    ],
)
def test_anything_else_is_no_uuid(bad: object) -> None:
    assert refused(limits.canonical_uuid, bad).endswith(" came, a UUID is allowed")


@for_any(st.uuids())
def test_every_uuid_is_its_own_canonical_form(any_uuid: UUID) -> None:
    assert limits.canonical_uuid("field", str(any_uuid)) == str(any_uuid)


# Addresses


@pytest.mark.parametrize("good", ["0.0.0.0", "1.2.3.4", "255.255.255.255"])
def test_an_ipv4_address_is_dotted(good: str) -> None:
    assert limits.ipv4("field", good) == good
    assert limits.address("field", good, 4) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.4/32",
        "1.2.3.4:80",
        "16909060",
        "0x1.2.3.4",
        "\u0661.2.3.4",
        "fe80::100",
        "::ffff:1.2.3.4",
        None,
        16909060,
        b"\x01\x02\x03\x04",
    ],
)
def test_anything_else_is_no_ipv4_address(bad: object) -> None:
    assert "an IPv4 address such as 1.2.3.4 is allowed" in refused(limits.ipv4, bad)


@pytest.mark.parametrize(
    ("form", "canonical"),
    [
        ("fe80::100", "fe80::100"),
        ("FE80:0:0:0:0:0:0:0100", "fe80::100"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::", "::"),
        ("::1", "::1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:0:4:0:0:0:8", "1:0:0:4::8"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("::1.2.3.4", "::102:304"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("::FFFF:102:304", "::ffff:1.2.3.4"),
        ("0:0:0:0:0:ffff:0:0", "::ffff:0.0.0.0"),
        ("::fffe:1.2.3.4", "::fffe:102:304"),
    ],
)
def test_an_ipv6_address_is_compressed_and_in_lower_case(form: str, canonical: str) -> None:
    assert limits.ipv6("field", form) == canonical
    assert limits.ipv6("field", canonical) == canonical
    assert limits.address("field", form, 6) == canonical


@pytest.mark.parametrize(
    "bad",
    [
        "",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "fe80::10000",
        "fe80::g",
        "fe80::1%eth0",
        "fe80::1%",
        "[::1]",
        "::1/128",
        " ::1",
        "::1\n",
        "::ffff:1.2.3.256",
        "::ffff:01.2.3.4",
        "1.2.3.4",
        None,
        1,
        bytes(16),
    ],
)
def test_anything_else_is_no_ipv6_address(bad: object) -> None:
    assert "an IPv6 address such as fe80::100 is allowed" in refused(limits.ipv6, bad)


@pytest.mark.parametrize("version", [5, 0, 4.0, True, "4", None])
def test_an_address_is_of_version_4_or_6(version: object) -> None:
    with pytest.raises(InvalidInput, match=r"^field: version .* came, 4 or 6 is allowed$"):
        limits.address("field", "1.2.3.4", version)


def test_an_address_is_of_the_version_that_it_says() -> None:
    refused(lambda field, value: limits.address(field, value, 4), "::1")
    refused(lambda field, value: limits.address(field, value, 6), "1.2.3.4")


# Words and numbers


def test_a_word_is_one_of_a_few() -> None:
    assert limits.one_of("field", "AUTO", ("AUTO", "MANUAL")) == "AUTO"


@pytest.mark.parametrize("bad", ["auto", "", "AUTO ", "AUT", None, 7, ["AUTO"]])
def test_any_other_word_is_refused_with_those_that_are_allowed(bad: object) -> None:
    message = refused(lambda field, value: limits.one_of(field, value, ("AUTO", "MANUAL")), bad)
    assert message == f"field: {bad!r} came, AUTO or MANUAL is allowed"


@pytest.mark.parametrize("good", [0, 1, 99, 100])
def test_a_percentage_is_a_whole_number_from_0_to_100(good: int) -> None:
    assert limits.percent("field", good) == good


def test_a_number_too_long_to_write_is_told_by_its_type() -> None:
    assert "a int of many digits came" in refused(limits.percent, 10**5000)


@pytest.mark.parametrize("bad", [-1, 101, 50.0, "50", True, False, None, 10**30])
def test_anything_else_is_no_percentage(bad: object) -> None:
    assert "a whole number from 0 to 100 is allowed" in refused(limits.percent, bad)


# Metadata


@pytest.mark.parametrize(
    "text",
    [
        "k" * 255,
        "é" * 127 + "x",
        "€" * 85,
        "\U0001f600" * 63 + "xyz",
        "\n" * 255,
    ],
)
def test_a_metadata_key_or_value_has_up_to_255_bytes(text: str) -> None:
    assert len(text.encode()) == 255
    assert limits.metadata("field", {text: text}) == {text: text}


@pytest.mark.parametrize(
    "text",
    [
        "k" * 256,
        "é" * 128,
        "€" * 85 + "x",
        "\U0001f600" * 64,
    ],
)
def test_a_metadata_key_or_value_of_256_bytes_is_too_long(text: str) -> None:
    assert len(text.encode()) == 256
    key = refused(limits.metadata, {text: "value"})
    assert key == "field: a key of 256 bytes came, 1 to 255 are allowed"
    value = refused(limits.metadata, {"key": text})
    assert value == "field.key: a value of 256 bytes came, 0 to 255 are allowed"


def test_a_metadata_value_may_be_empty_and_a_key_may_not() -> None:
    assert limits.metadata("field", {"key": ""}) == {"key": ""}
    assert refused(limits.metadata, {"": "value"}) == (
        "field: a key of 0 bytes came, 1 to 255 are allowed"
    )


def test_metadata_is_a_map_of_its_own() -> None:
    given = {"key": "value"}
    kept = limits.metadata("field", given)
    given["key"] = "another"
    assert kept == {"key": "value"}
    assert limits.metadata("field", MappingProxyType(given)) == given


@pytest.mark.parametrize("bad", [None, "text", ["key"], [("key", "value")], 7])
def test_what_is_no_map_is_no_metadata(bad: object) -> None:
    assert "a map of strings to strings is allowed" in refused(limits.metadata, bad)


@pytest.mark.parametrize(
    "bad",
    [{7: "value"}, {None: "value"}, {"key": 7}, {"key": None}, {"key": {}}, {"key": True}],
)
def test_metadata_maps_strings_to_strings(bad: dict[object, object]) -> None:
    assert refused(limits.metadata, bad).endswith(" came, a string is allowed")


@pytest.mark.parametrize("bad", [{SURROGATE: "value"}, {"key": SURROGATE}])
def test_metadata_has_a_utf_8_form(bad: dict[str, str]) -> None:
    assert "has a lone surrogate" in refused(limits.metadata, bad)


@pytest.mark.parametrize("key", ["a\nb", "a\u2028b", "k" * 255])
@pytest.mark.parametrize("bad", [7, "v" * 256, SURROGATE])
def test_an_item_is_named_on_one_short_line_whatever_its_key(key: str, bad: object) -> None:
    assert len(refused(limits.metadata, {key: bad})) < 200


def test_a_map_that_is_so_needs_to_keep_no_length() -> None:
    long = {"": "v" * 256, "k" * 256: ""}
    assert limits.string_map("field", long) == long


@for_any(strategies.metadata(most=130))
def test_any_metadata_within_the_limits_is_kept_as_it_is(items: dict[str, str]) -> None:
    assert limits.metadata("field", items) == items


@for_any(st.dictionaries(st.text(max_size=300), st.text(max_size=300), max_size=3))
def test_metadata_is_refused_when_and_only_when_some_part_has_the_wrong_size(items) -> None:
    fits = all(
        1 <= len(key.encode()) <= 255 and len(value.encode()) <= 255 for key, value in items.items()
    )
    try:
        limits.metadata("field", items)
        taken = True
    except InvalidInput:
        taken = False
    assert taken == fits


def test_keys_are_a_tuple_of_at_least_one() -> None:
    assert limits.keys("field", ("a", "")) == ("a", "")
    for bad in ((), ["a"], "a", None, {"a"}):
        assert "a tuple of keys is allowed" in refused(limits.keys, bad)
    for bad in ((7,), ("a", None)):
        assert "a string is allowed" in refused(limits.keys, bad)


# Passwords


@pytest.mark.parametrize("good", ["", "seekr3t", "p" * 10_000, "\x00", "\U0001f600"])
def test_a_password_is_any_string_with_a_utf_8_form(good: str) -> None:
    assert limits.password("field", good) is good


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"seekr3t", "field: a bytes came, a string is allowed"),
        (["seekr3t"], "field: a list came, a string is allowed"),
        (
            f"seekr3t{SURROGATE}",
            "field: a string without a UTF-8 form came, text that has one is allowed",
        ),
    ],
)
def test_of_a_bad_password_nothing_but_its_type_is_told(bad: object, message: str) -> None:
    with pytest.raises(InvalidInput) as no:
        limits.password("field", bad)
    assert str(no.value) == message
    # The encoding error would carry the password along.
    assert no.value.__context__ is None
    assert no.value.__cause__ is None


# Request ids


@pytest.mark.parametrize("good", ["!", "~", "r" * 255, f"req-{CANONICAL}", "a/b?c#d"])
def test_a_request_id_is_1_to_255_printable_ascii_characters(good: str) -> None:
    assert limits.request_id("field", good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "r" * 256,
        "with space",
        " r",
        "r\n",
        "tab\t",
        "\x7f",
        "\x00",
        "é",
        "\uff52",
        None,
        7,
        b"req",
    ],
)
def test_anything_else_is_no_request_id(bad: object) -> None:
    assert "1 to 255 printable ASCII characters without a space" in refused(limits.request_id, bad)


@for_any(strategies.request_ids())
def test_every_such_text_is_a_request_id(any_id: str) -> None:
    assert limits.request_id("field", any_id) == any_id
