"""What Nova really did, flow by flow: run here, or left with its reason.

`flow-runs.json` says for each recorded flow what happened around its requests, and wherein we
differ on purpose: a difference names its step, its member, what it is here and why. ``rules``
says which rule must refuse a step, where two could.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from serverdomain import Servers
from tests.adapters.recorded import DATA
from tests.flows.http_player import HttpPlayer
from tests.flows.player import (
    PROJECT,
    SERVER_ID,
    Player,
    compared,
    compared_after,
    recorded_after,
)

FLOWS: dict[str, dict[str, Any]] = {
    flow["id"]: flow for flow in json.loads((DATA / "flows.json").read_text(encoding="utf-8"))
}
BESIDE = json.loads((DATA / "flow-runs.json").read_text(encoding="utf-8"))
RUNS: dict[str, dict[str, Any]] = BESIDE["flows"]
REASONS: dict[str, str] = BESIDE["reasons"]


def is_at_another_microversion(flow: dict[str, Any], step: dict[str, Any]) -> bool:
    """Whether a step asks for another microversion than the one that is served."""
    return flow["api"] == "v2.1" and step["request"]["microversion"] is not None


def needs_http(flow: dict[str, Any], step: dict[str, Any]) -> bool:
    """Whether a step is about HTTP alone: its version, its URL's project, the list of actions."""
    return (
        is_at_another_microversion(flow, step)
        or "path_project" in RUNS[flow["id"]]
        or "os-instance-actions" in step["request"]["path"]
    )


def as_decided(flow: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    """A step, with the 406 that another microversion gets here whatever it asks for."""
    asked = step["request"]["microversion"]
    if not is_at_another_microversion(flow, step) or not asked[0].isdigit():
        return step
    return {"request": step["request"], "status": 406, "fault": {"name": "computeFault"}}


def expect(ours: dict[str, Any], recorded: dict[str, Any], differs: dict[str, list[Any]]) -> None:
    """Ours is as recorded, but for the differences that are listed, each of which is one."""
    for member, (here, reason) in differs.items():
        assert reason in REASONS
        assert recorded[member] != here, f"the difference in {member} is stale"
    assert ours == recorded | {member: here for member, (here, _) in differs.items()}


@pytest.mark.parametrize("players", [Player, HttpPlayer])
@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_goes_as_recorded_but_for_the_listed_differences(
    name: str, players: type[Player]
) -> None:
    flow, run = FLOWS[name], RUNS[name]
    if "left" in run:
        pytest.skip(run["left"])
    if players is Player and all(needs_http(flow, step) for step in flow["steps"]):
        pytest.skip("Every step of it is about HTTP alone.")
    differs = run.get("differs", {})
    with Servers.open("memory:") as servers:
        player = players(servers, flow, run)
        for number, step in enumerate(flow["steps"]):
            for what in run.get("between", {}).get(str(number), ()):
                player.happen(what)
            if players is HttpPlayer or not needs_http(flow, step):
                step = as_decided(flow, step)
                play(player, step, dict(differs.get(str(number), {})), run, str(number))
        player.close()
        if "after" in flow:
            recorded = recorded_after(flow["after"])
            ours = compared_after(servers.get(SERVER_ID))
            ours = {member: ours[member] for member in recorded}
            expect(ours, recorded, differs.get("after", {}))


def play(
    player: Player,
    step: dict[str, Any],
    differs: dict[str, list[Any]],
    run: dict[str, Any],
    number: str,
) -> None:
    answer = player.answer(step["request"])

    code = {"code": differs.pop("code")} if "code" in differs else {}
    expect({"code": answer.code}, {"code": step["status"]}, code)
    if player.knows_rules:
        assert answer.rule == run.get("rules", {}).get(number, answer.rule)
    if not code and "fault" in step:
        assert answer.fault == step["fault"]["name"]
    if not code and "server" in step:
        assert answer.server is not None
        expect(compared(answer.server), compared(step["server"]), differs)
    if "location" in step:
        assert answer.server is not None
        recorded = step["location"].replace("{project_id}", PROJECT)
        assert answer.server["links"][0]["href"] == recorded.replace("{server_id}", SERVER_ID)
    if step.get("body"):
        assert answer.server is not None
        assert {"metadata": answer.server["metadata"]} == step["body"]


def test_every_recorded_flow_is_run_or_left_with_its_reason() -> None:
    assert list(RUNS) == list(FLOWS)
    for name, run in RUNS.items():
        if "left" in run:
            assert run["left"], f"{name} is left without a reason"
            assert list(run) == ["left"]
        else:
            steps = FLOWS[name]["steps"]
            assert steps, f"{name} runs nothing"
            numbers = {*map(str, range(len(steps))), "after"}
            for around in ("between", "differs", "rules"):
                assert set(run.get(around, {})) <= numbers


def test_every_reason_for_a_difference_is_used() -> None:
    used = {
        reason
        for run in RUNS.values()
        for members in run.get("differs", {}).values()
        for _, reason in members.values()
    }

    assert used == set(REASONS)
