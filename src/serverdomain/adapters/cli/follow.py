"""What a cloud tells, taken into the log as it happens."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from serverdomain.adapters.cli.import_options import ImportOptions
from serverdomain.adapters.cli.options import StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, option

app = Commands(name="follow", help="What a cloud tells, taken into the log as it happens.")


@app.command("nova")
def follow_nova(
    where: Annotated[str, argument("URL", "The bus: amqp://user:password@host:5672/vhost.")],
    store: StoreOptions,
    how: ImportOptions,
    exchange: Annotated[str, option("NAME", "The exchange that Nova tells on.")] = "nova",
    topic: Annotated[str, option("NAME", "The topic of the notifications.")] = (
        "versioned_notifications"
    ),
    queue: Annotated[str, option("NAME", "The queue that keeps what is not taken yet.")] = (
        "serverdomain"
    ),
    seconds: Annotated[
        float | None, option("S", "Stop after so long.", show_default="go on until Ctrl-C")
    ] = None,
) -> None:
    """Take in Nova's versioned notifications from its bus, as they come.

    Each is acknowledged once it is in the log, so none is lost, and each counts once.
    """
    from serverdomain.adapters.incoming import nova
    from serverdomain.adapters.incoming.bus import Bus

    bus = Bus(where, exchange=exchange, topic=topic, queue=queue, own=how.dry_run)
    with how.taking(store) as (taker, rejects), suppress(KeyboardInterrupt):
        bus.follow(nova.read, taker, rejects, seconds)
    how.say(taker.counts, rejects)
