"""Every recorded request gets Nova's verdict, or the one of a decision that is listed beside."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Any
from uuid import UUID

import pytest
from msgspec import UNSET

from serverdomain.domain.commands import RebuildServer
from serverdomain.errors import InvalidBody
from tests.adapters.recorded import DEVIATIONS, VECTORS, read

DECIDED = {name: deviation for deviation in DEVIATIONS for name in deviation["vectors"]}


def recorded_verdict(vector: dict[str, Any]) -> tuple[int | None, str | None]:
    return vector["status"], vector.get("fault")


def expected_verdict(vector: dict[str, Any]) -> tuple[int | None, str | None]:
    decided = DECIDED.get(vector["id"])
    return (decided["status"], decided["fault"]) if decided else recorded_verdict(vector)


def named(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(vector, id=f"{vector['id']}-{vector['label']}") for vector in vectors]


ACCEPTED = [vector for vector in VECTORS if expected_verdict(vector)[0] is None]
REFUSED = [vector for vector in VECTORS if expected_verdict(vector)[0] is not None]


@pytest.mark.parametrize("vector", named(ACCEPTED))
def test_a_request_that_is_taken_gives_the_command_that_it_means(vector: dict[str, Any]) -> None:
    effective = vector["effective"] if "effective" in vector else vector["body"]["rebuild"]

    assert read(vector) == RebuildServer(
        image_id=str(UUID(effective["imageRef"])),
        name=effective["name"].strip() if "name" in effective else UNSET,
        metadata=effective.get("metadata", UNSET),
        access_ipv4=effective.get("accessIPv4", UNSET),
        access_ipv6=(
            IPv6Address(effective["accessIPv6"]).compressed if "accessIPv6" in effective else UNSET
        ),
        disk_config=effective.get("OS-DCF:diskConfig", UNSET),
        admin_pass=effective.get("adminPass"),
    )


@pytest.mark.parametrize("vector", named(REFUSED))
def test_a_request_that_is_refused_says_so_in_one_line_with_novas_status(
    vector: dict[str, Any],
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read(vector)

    assert (refusal.value.status, refusal.value.fault) == expected_verdict(vector)
    message = str(refusal.value)
    assert message.isprintable()
    assert len(message) <= 500


def test_all_recorded_requests_are_there() -> None:
    assert len(VECTORS) == 1287
    assert len({vector["id"] for vector in VECTORS}) == 1287


def test_the_list_of_deviations_names_each_vector_once_and_none_that_agrees() -> None:
    by_name = {vector["id"]: vector for vector in VECTORS}
    listed = [name for deviation in DEVIATIONS for name in deviation["vectors"]]

    assert len(listed) == len(set(listed)), "listed twice"
    for deviation in DEVIATIONS:
        assert deviation["decision"]
        decided = (deviation["status"], deviation["fault"])
        for name in deviation["vectors"]:
            assert recorded_verdict(by_name[name]) != decided, f"{name} is stale"
