"""Checkpoints of the log, and proofs that it still holds what they cover."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serverdomain.adapters.cli.answers import complain, say_bytes, say_json, say_lines, visible
from serverdomain.adapters.cli.options import PROVEN, AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, option
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.audit.ledger import Verdict

app = Commands(name="ledger", help="Proof that nobody has edited the log.")

_MEANT = re.compile(
    r"(?:position:)?(?P<number>[0-9]{1,18})|(?P<kind>request|server):(?P<named>.+)", re.DOTALL
)

FOUND = 4
"""The exit code if the log is not what was signed."""

Keys = Annotated[list[str], option("FILE", "A key, either half; repeatable.")]
Signed = Annotated[str, option("FILE", "A checkpoint of this log.")]


@app.command()
def checkpoint(
    store: StoreOptions,
    key: Annotated[
        str, option("FILE", "The private key; if there is none, it and FILE.pub are made.")
    ],
    out: Annotated[str, option("FILE", "The checkpoint; its leaves go to FILE.leaves.")],
    as_json: AsJson = False,
) -> None:
    """Sign what the log holds now.

    Keep the checkpoint, its leaves and the public key on another machine.
    """
    for file, field in ((out, "--out"), (key, "--key")):
        store.require_apart(file, field)
    with store.open() as servers, progress_bar("checkpoint") as progress:
        made = servers.ledger.checkpoint(key, out, progress)
    if as_json:
        from serverdomain.adapters.cli.proof_lines import checkpoint_members

        say_json({**checkpoint_members(made.checkpoint), "new_key": made.new_key})
        return
    size, root = made.checkpoint.size, made.checkpoint.root.hex()
    lines = [f"{out} covers {size} events of {made.checkpoint.origin}, root {root}"]
    if made.new_key:
        lines.insert(0, f"{key} is a new key, and {key}.pub its public half")
    say_lines((visible(line), "") for line in lines)


@app.command()
def verify(
    store: StoreOptions,
    checkpoint: Signed,
    key: Keys,
    max_uncovered: Annotated[
        int | None, option("N", "More later events than this are a problem.", min=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check whether the log still holds what a checkpoint covers.

    Prints a line for each problem, and exits with 4 if there is one.
    """
    with store.open() as servers, progress_bar("verify") as progress:
        verdict = servers.ledger.verify(checkpoint, key, progress)
    too_many = max_uncovered is not None and verdict.uncovered > max_uncovered
    if as_json:
        say_json(_verdict(verdict))
    else:
        told = _told(checkpoint, verdict, max_uncovered if too_many else None)
        say_lines((line, "") for line in told)
    if verdict.problems or too_many:
        raise typer.Exit(FOUND)


@app.command()
def prove(
    store: StoreOptions,
    what: Annotated[
        str,
        argument("WHAT", "position:N, or N alone; request:ID; or server:SERVER.", **PROVEN),
    ],
    checkpoint: Signed,
) -> None:
    """Print the proof that an event is as a checkpoint covers it, for each event that is meant.

    Before each proof stands what the event changed, who asked, and when, in words.
    """
    kind, named = _meant(what)
    with store.open() as servers, progress_bar("prove") as progress:
        if kind == "position":
            positions = [int(named)]
        elif kind == "request":
            positions = servers.ledger.positions_of(named)
        else:
            known = servers.find(named)
            positions = sorted(entry.position for entry in servers.history(known))
        proofs = servers.ledger.proofs(positions, checkpoint, progress)
    if len(proofs) < len(positions):
        later = len(positions) - len(proofs)
        complain(f"{later} of {len(positions)} events came after the checkpoint, and are left out")
    say_bytes(b"".join(proofs))


def _meant(what: str) -> tuple[str, str]:
    match = _MEANT.fullmatch(what)
    if match is None:
        raise InvalidInput(
            "WHAT", f"{what!a} came, position:N, request:ID or server:SERVER is allowed"
        )
    return match["kind"] or "position", match["number"] or match["named"]


@app.command()
def consistency(
    store: StoreOptions,
    old: Annotated[str, argument("OLD", "The older checkpoint.")],
    new: Annotated[str, argument("NEW", "The newer one.")],
) -> None:
    """Print the proof that one checkpoint continues another."""
    with store.open() as servers, progress_bar("consistency") as progress:
        proof = servers.ledger.consistency(old, new, progress)
    say_bytes(proof)


@app.command()
def check_proof(
    file: Annotated[str, argument("FILE", "A proof, or - for stdin.")],
    key: Keys,
    as_json: AsJson = False,
) -> None:
    """Say what a proof proves.

    Needs no log.
    """
    from serverdomain.adapters.cli.body import LONGEST_DOCUMENT, read
    from serverdomain.adapters.cli.proof_lines import members, told
    from serverdomain.audit.ledger import check_proofs

    proved = check_proofs(read("proof", file, LONGEST_DOCUMENT), key)
    if as_json:
        plain = [members(one) for one in proved]
        say_json(plain[0] if len(plain) == 1 else plain)
        return
    for one in proved:
        say_lines((visible(line), "") for line in told(one))


def _told(checkpoint: str, verdict: Verdict, most: int | None) -> Iterator[str]:
    for problem in verdict.problems:
        yield visible(str(problem))
    if verdict.unlocated is not None:
        yield visible(f"the place cannot be told: {verdict.unlocated}")
    covered = verdict.checkpoint.size
    if not verdict.problems:
        yield visible(f"{checkpoint} is a prefix of the log: its {covered} events are as signed")
    if most is not None:
        yield f"{verdict.uncovered} later events are in no checkpoint, {most} are allowed"
    elif not verdict.problems:
        yield f"{verdict.uncovered} later events are in no checkpoint yet"


def _verdict(verdict: Verdict) -> dict[str, Any]:
    from serverdomain.adapters.cli.proof_lines import checkpoint_members

    return {
        "holds": not verdict.problems,
        "problems": [problem._asdict() for problem in verdict.problems],
        "unlocated": verdict.unlocated,
        "events": verdict.events,
        "uncovered": verdict.uncovered,
        "checkpoint": checkpoint_members(verdict.checkpoint),
    }
