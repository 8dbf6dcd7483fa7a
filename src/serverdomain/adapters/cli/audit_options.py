"""Whether the audit page is served beside the endpoint, and what its ledger is told by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.parameters import flag, option
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from serverdomain.adapters.http import NoAuthentication, TokenFile
    from serverdomain.servers import Servers


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """The audit page beside the endpoint."""

    audit: Annotated[bool, flag("--audit", "Serve the audit page at /audit, too.")] = False
    checkpoint: Annotated[
        str | None, option("FILE", "A checkpoint of this log, for --audit to prove events by.")
    ] = None
    key: Annotated[
        list[str] | None,
        option("FILE", "A key that may have signed it, either half; repeatable."),
    ] = None

    def require_sense(self) -> None:
        """Raise `InvalidInput` for options that make no sense together."""
        for name, given in (("--checkpoint", self.checkpoint), ("--key", self.key)):
            if given and not self.audit:
                raise InvalidInput(name, "it came without --audit, whose page shows the ledger")
        if self.key and self.checkpoint is None:
            raise InvalidInput("--key", "it came without --checkpoint, which it may have signed")

    def beside(
        self,
        compute: ASGIApp,
        ending: Callable[[], None],
        servers: Servers,
        who: NoAuthentication | TokenFile,
        endpoint: str | None,
    ) -> tuple[ASGIApp, Callable[[], None]]:
        """An endpoint with the page beside it, if that is wanted, and what ends both.

        Raises `InvalidInput` for files that cannot be used.
        """
        if not self.audit:
            return compute, ending
        from serverdomain.adapters.audit_page import audit_app

        if self.checkpoint is not None:
            from serverdomain.audit.ledger.checkpoint import Checkpoint
            from serverdomain.audit.ledger.key import PublicKey

            Checkpoint.read_file(self.checkpoint, "--checkpoint")
            for key in self.key or ():
                PublicKey.read(key)
        page = audit_app(
            servers,
            authenticate=who,
            endpoint=endpoint,
            checkpoint=self.checkpoint,
            keys=self.key or (),
        )

        def end() -> None:
            page.end()
            ending()

        return page.beside(compute), end
