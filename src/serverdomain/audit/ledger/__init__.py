"""The ledger: signed checkpoints of the log, and proof that nobody has edited it since.

It reads the log and writes nothing into it. docs/ledger-spec.md says how somebody else checks it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from serverdomain.audit.ledger import merkle, proof, proving
from serverdomain.audit.ledger.checkpoint import Checkpoint, leaves_of, leaves_path
from serverdomain.audit.ledger.leaf import hashed
from serverdomain.audit.ledger.merkle import Tree
from serverdomain.audit.ledger.problem import Problem
from serverdomain.audit.ledger.verify import Verdict, compare, told_pages
from serverdomain.domain import limits
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput, StoreDamaged, Unproven

if TYPE_CHECKING:
    from serverdomain.store.log import Reading

File = str | Path


class Readable(Protocol):
    """A log, or a copy of one."""

    def reading(self) -> AbstractContextManager[Reading]:
        """What it holds at one moment."""


__all__ = ["Checkpoint", "Ledger", "Made", "Problem", "Verdict", "check_proof", "check_proofs"]


class Made(NamedTuple):
    """A checkpoint that was signed and written; ``new_key`` says that its key was made for it."""

    checkpoint: Checkpoint
    new_key: bool


class Ledger:
    """The ledger of a log, or of a copy of one. Signatures need the extra ``audit``."""

    def __init__(self, log: Readable) -> None:
        self._log = log

    def __len__(self) -> int:
        """The events that a checkpoint made now would cover."""
        with self._log.reading() as log:
            return log.count()

    def __bool__(self) -> bool:
        return True  # It is there, even if nothing happened yet.

    def __repr__(self) -> str:
        return f"<Ledger of {self._log}>"

    @typed
    def checkpoint(self, key: File, out: File, progress: Progress = silent) -> Made:
        """Sign what the log holds now, into ``out``, and its leaf hashes, into ``out.leaves``.

        Makes the key if there is none. Replaces only an older checkpoint of the same log. Raises
        `Unproven` if the log no longer holds what that one covers, `InvalidInput` if ``out`` is
        another file.
        """
        from serverdomain.audit.ledger.key import SigningKey, require_apart
        from serverdomain.store.durable import replacing

        out = Path(out)
        require_apart(key, out, leaves_path(out))
        older = Checkpoint.read_file(out, "out") if os.path.exists(out) else None
        with self._log.reading() as log:
            origin = _origin(log)
            _require_origin(older, origin, out)
            signing, new_key = SigningKey.read_or_make(key)
            # The leaves take their place first: a new checkpoint never stands beside older leaves.
            with replacing(out, "out") as note, replacing(leaves_path(out), "out") as leaves:
                tree, size = Tree(), 0
                old_size = 0 if older is None else older.size
                for some in told_pages(log, old_size, log.count(), progress):
                    if older is not None and size == old_size:
                        _require_same(older, tree, out)
                    run = hashed(some)
                    leaves.write(run)
                    tree.add(run)
                    size += len(some)
                if older is not None and size <= old_size:
                    _require_same(older, tree, out)
                made = Checkpoint.sign(origin, size, tree.root(), signing)
                note.write(made.whole)
        return Made(made, new_key)

    @typed
    def verify(
        self, checkpoint: File, keys: Sequence[File], progress: Progress = silent
    ) -> Verdict:
        """Read the log again, and compare it with what a checkpoint covers.

        ``keys`` are files of either half. Raises `Unproven` if none of them signed it.
        """
        from serverdomain.audit.ledger.key import PublicKey

        signed = Checkpoint.read_file(checkpoint)
        signed.require_signed([PublicKey.read(key) for key in keys])
        leaves, why_not = leaves_of(signed, checkpoint)
        with self._log.reading() as log:
            events = log.count()
            problems, uncovered = compare(log, signed, leaves, progress)
            unlocated = why_not if problems else None
            problems += _beside_the_events(log, signed, problems)
        return Verdict(signed, events, uncovered, tuple(problems), unlocated)

    @typed
    def prove(self, position: int, checkpoint: File, progress: Progress = silent) -> bytes:
        """The proof that an event is as a checkpoint covers it, a file for `check_proof`.

        Raises `NotFound` where no event stands there, `Conflict` for one that came later than the
        checkpoint, `Unproven` where the log no longer holds what it covers.
        """
        (found,) = self._proofs([position], checkpoint, progress, with_words=False)
        return found

    @typed
    def proofs(
        self, positions: Sequence[int], checkpoint: File, progress: Progress = silent
    ) -> list[bytes]:
        """A proof of each of these events that a checkpoint covers, as `prove` gives it.

        Before each stand words for a reader: what the event changed from what to what, who asked,
        and when. Raises what `prove` does, and `Conflict` only where all came later.
        """
        return self._proofs(positions, checkpoint, progress, with_words=True)

    @typed
    def positions_of(self, request_id: str) -> list[int]:
        """The positions of a request's events, or of what was refused under its id.

        Raises `NotFound` where there are none, `InvalidInput` for what no request id can be.
        """
        known = limits.request_id("request_id", request_id)
        with self._log.reading() as log:
            return proving.positions_of(log, known)

    def _proofs(
        self, positions: Sequence[int], checkpoint: File, progress: Progress, with_words: bool
    ) -> list[bytes]:
        with self._log.reading() as log:
            return proving.proofs(log, positions, checkpoint, progress, with_words)

    @typed
    def consistency(self, old: File, new: File, progress: Progress = silent) -> bytes:
        """The proof that one checkpoint goes on from another, a file for `check_proof`.

        Raises `Unproven` where it does not, `InvalidInput` where they are of two logs or the wrong
        way round.
        """
        first, second = Checkpoint.read_file(old, "old"), Checkpoint.read_file(new, "new")
        if first.origin != second.origin:
            raise InvalidInput(
                "new", f"a checkpoint of {second.origin} came, one of {first.origin} is allowed"
            )
        if first.size > second.size:
            raise InvalidInput(
                "new",
                f"a checkpoint of {second.size} events came, {first.size} or more are allowed: "
                "the older one comes first",
            )
        with self._log.reading() as log:
            leaves = proving.leaves_under(log, second, new, progress)
        if merkle.root_of(leaves, 0, first.size) != first.root:
            raise Unproven(f"{new} does not go on from {old}: an event that it covered is another")
        return proof.consistency(merkle.consistency(leaves, first.size, second.size), first, second)


@typed
def check_proofs(given: bytes, keys: Sequence[File]) -> list[proof.Included | proof.Consistent]:
    """What the proofs of a file prove, which holds one or many. Raises as `check_proof` does."""
    from serverdomain.audit.ledger.key import PublicKey

    read = [PublicKey.read(key) for key in keys]
    return [proof.check(one, read) for one in proof.each(given)]


@typed
def check_proof(given: bytes, keys: Sequence[File]) -> proof.Included | proof.Consistent:
    """What a proof proves, without the log; ``keys`` are files of public keys.

    Raises `InvalidInput` for what is no proof, `Unproven` for one that does not hold.
    """
    from serverdomain.audit.ledger.key import PublicKey

    return proof.check(given, [PublicKey.read(key) for key in keys])


def _origin(log: Reading) -> str:
    found = log.log_id()
    if not found.isascii() or not found.isprintable() or {*" +"} & {*found}:
        raise StoreDamaged(f"the log's id is {found!a}: somebody has made it so")
    return f"serverdomain/{found}"


def _require_origin(older: Checkpoint | None, origin: str, out: Path) -> None:
    if older is not None and older.origin != origin:
        raise InvalidInput(
            "out",
            f"{out} is a checkpoint of {older.origin}, a new file or one of {origin} is allowed",
        )


def _require_same(older: Checkpoint, tree: Tree, out: Path) -> None:
    if tree.root() != older.root:
        raise Unproven(
            f"the log no longer holds the {older.size} events that {out} covers, which stays as "
            "it is: ledger verify says what happened"
        )


def _beside_the_events(log: Reading, signed: Checkpoint, found: list[Problem]) -> list[Problem]:
    """What is wrong with the log's id and with commands, after what was found of the events."""
    problems = []
    try:
        origin = f"serverdomain/{log.log_id()}"
    except StoreDamaged:
        origin = "one without the id that every log is given"
    if origin != signed.origin:
        note = f"the log is {origin}, the checkpoint is of {signed.origin}"
        problems.append(Problem("altered", note=note))
    # An event that is gone, or names another command, leaves its own behind.
    if not any(problem.what in ("altered", "removed") for problem in found):
        for command_id in log.commands_without_events():
            problems.append(Problem("inserted", note=f"command {command_id} has no event"))
    return problems
