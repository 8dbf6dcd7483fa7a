"""The pages of the reports: sentences, tables, and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from serverdomain.adapters.cli.answers import say, say_table, width

if TYPE_CHECKING:
    from serverdomain.audit.reports import Images, LostMetadata, Rebuilds
    from serverdomain.audit.reports.rebuilds import Group

_SHOWN_MONTHS = 6
# Columns on a terminal: of a month with its gap, and of what stands before the months.
_MONTH, _BESIDE_MONTHS = 9, 48
_SHOWN_LINES = 4


def say_rebuilds(found: Rebuilds, group_by: Sequence[str]) -> None:
    """Print how long rebuilds took, where they failed, and which never ended.

    Groups are by ``image``, ``host``, ``user`` or ``project``.
    """
    from serverdomain.adapters.cli import plots

    counted = ", ".join(f"{count} {how}" for how, count in found.outcomes.items())
    say(f"{found.requested} rebuilds: {counted or 'none'}")
    if not found.requested:
        return
    if found.durations:
        say(f"those that completed took {_percentiles(found.seconds)}\n")
        # The longest rebuilds would flatten the plot. Rounded, as percentiles are.
        most = found.seconds["p99"]
        minutes = [seconds / 60 for seconds in found.durations if round(seconds, 1) <= most]
        say(plots.histogram(minutes, "minutes that a rebuild took, the longest 1 % left out"))
    for what in group_by:
        groups: list[Group] = getattr(found, f"by_{what}")
        say("")
        say_table(
            (what, "rebuilds", "failed", "share", "half took", "9 of 10 took"),
            (_group(group) for group in groups),
        )
    if found.never_ended:
        say("\nnever ended:")
        say_table(
            ("requested", "server", "image", "rebuild"),
            (
                (one.requested_at, one.server_id, one.image_id, one.rebuild_id)
                for one in found.never_ended
            ),
        )


def say_images(found: Images, still: list[dict[str, Any]], limit: int) -> None:
    """Print the fleet by image and month, and the servers that ``still`` run the given image."""
    from serverdomain.adapters.cli import plots

    used = [use for use in found.images if use.now]
    say(f"{sum(use.now for use in used)} servers run {len(used)} images")
    if not found.images:
        return
    parts = min(max((width() - _BESIDE_MONTHS) // _MONTH, 1), _SHOWN_MONTHS)
    last = len(found.months) - 1
    shown = sorted({round(part * last / parts) for part in range(1, parts + 1)})
    say("")
    say_table(
        ("image", "now", "most", *(found.months[place] for place in shown)),
        (
            (use.image_id, use.now, use.most, *(use.by_month[place] for place in shown))
            for use in found.images[:limit]
        ),
    )
    say("")
    most_used = sorted(found.images, key=lambda use: -use.most)[:_SHOWN_LINES]
    series = {use.image_id[:8]: use.by_month for use in most_used}
    say(plots.lines(found.months, series, "servers by image, at the end of each month"))
    if found.servers is not None:
        say(f"\n{len(still)} servers still run {found.image_id}:")
        say_table(("server", "name", "status", "project", "since"), (one.values() for one in still))


def say_metadata(found: LostMetadata, group_by: str) -> None:
    """Print which keys were lost, by whose rebuilds or of which ``project``, and when."""
    from serverdomain.adapters.cli import plots

    say(f"{found.rebuilds} rebuilds took metadata away from {found.servers} servers")
    if not found.rebuilds:
        return
    say("")
    say_table(
        ("key", "rebuilds", "servers", "last"),
        ((one.key, one.rebuilds, one.servers, one.last) for one in found.keys),
    )
    say("")
    groups = [(one.user_id, one.rebuilds, one.keys) for one in found.by_user]
    if group_by == "project":
        groups = [(one.project_id, one.rebuilds, one.keys) for one in found.by_project]
    say_table((group_by, "rebuilds", "keys"), groups)
    say("")
    months = list(found.by_month)
    say(plots.lines(months, {"rebuilds": list(found.by_month.values())}, "a month"))
    say("\nlatest:")
    say_table(
        ("occurred", "server", "user", "request", "keys"),
        (
            (one.occurred_at, one.server_id, one.user_id, one.request_id, ", ".join(one.keys))
            for one in found.latest
        ),
    )


def _group(group: Group) -> tuple[object, ...]:
    p50, p90 = (group.seconds.get(name) for name in ("p50", "p90"))
    share = f"{group.failed / group.requested:.1%}"
    return group.id, group.requested, group.failed, share, _took(p50), _took(p90)


def _percentiles(seconds: Mapping[str, float]) -> str:
    words = {"p50": "half at most", "p90": "9 of 10", "p99": "99 of 100", "p100": "all"}
    return ", ".join(f"{words[name]} {_took(value)}" for name, value in seconds.items())


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
