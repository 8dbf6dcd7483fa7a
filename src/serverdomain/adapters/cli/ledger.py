"""Checkpoints of the log, and proofs that it still holds what they cover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serverdomain.adapters.cli.answers import say, say_bytes, say_json, visible
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, option
from serverdomain.adapters.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from serverdomain.audit.ledger import Checkpoint, Verdict
    from serverdomain.audit.ledger.proof import Consistent, Included

app = Commands(name="ledger", help="Proof that nobody has edited the log.")

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
    with store.open() as servers, progress_bar("checkpoint") as progress:
        made = servers.ledger.checkpoint(key, out, progress)
    if as_json:
        say_json({**_members(made.checkpoint), "new_key": made.new_key})
        return
    if made.new_key:
        say(visible(f"{key} is a new key, and {key}.pub its public half"))
    size, root = made.checkpoint.size, made.checkpoint.root.hex()
    say(visible(f"{out} covers {size} events of {made.checkpoint.origin}, root {root}"))


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
        say("\n".join(_told(checkpoint, verdict, max_uncovered if too_many else None)))
    if verdict.problems or too_many:
        raise typer.Exit(FOUND)


@app.command()
def prove(
    store: StoreOptions,
    position: Annotated[int, argument("POSITION", "The event's position.")],
    checkpoint: Signed,
) -> None:
    """Print the proof that an event is as a checkpoint covers it."""
    with store.open() as servers, progress_bar("prove") as progress:
        proof = servers.ledger.prove(position, checkpoint, progress)
    say_bytes(proof)


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
    from serverdomain.audit.ledger import check_proof
    from serverdomain.audit.ledger.proof import Included

    proved = check_proof(read("proof", file, LONGEST_DOCUMENT), key)
    if isinstance(proved, Included):
        _say_included(proved, as_json)
    else:
        _say_consistent(proved, as_json)


def _say_included(proved: Included, as_json: bool) -> None:
    signed = proved.checkpoint
    if as_json:
        event = {
            name: {"hex": value.hex()} if isinstance(value, bytes) else value
            for name, value in proved.event.items()
        }
        say_json({"event": event, "checkpoint": _members(signed), "index": proved.rank})
        return
    say(visible(f"this event is number {proved.rank + 1} of {signed.size} in {signed.origin}:"))
    for name, value in proved.event.items():
        if value is not None:
            shown = value.hex() if isinstance(value, bytes) else value
            say(visible(f"  {name}: {shown}"))


def _say_consistent(proved: Consistent, as_json: bool) -> None:
    if as_json:
        say_json({"old": _members(proved.old), "new": _members(proved.new)})
        return
    old, new = proved.old, proved.new
    say(visible(f"the {old.size} events of {old.origin} under root {old.root.hex()}"))
    say(f"are the first of the {new.size} under root {new.root.hex()}")


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
    return {
        "holds": not verdict.problems,
        "problems": [problem._asdict() for problem in verdict.problems],
        "unlocated": verdict.unlocated,
        "events": verdict.events,
        "uncovered": verdict.uncovered,
        "checkpoint": _members(verdict.checkpoint),
    }


def _members(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
