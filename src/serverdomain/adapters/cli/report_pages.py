"""The pages of the reports: sentences, tables, and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from serverdomain.adapters.cli.answers import say, say_sentence, width
from serverdomain.adapters.cli.tables import say_table

if TYPE_CHECKING:
    from serverdomain.audit.reports import Images, LostMetadata, Rebuilds
    from serverdomain.audit.reports.rebuilds import Group

_SHOWN_MONTHS = 6
# Columns on a terminal: of a month with its gap, and of what stands before the months.
_MONTH, _BESIDE_MONTHS, _BESIDE_WHOLE_ID = 9, 21, 49
_SHOWN_LINES = 4


def say_rebuilds(found: Rebuilds, group_by: Sequence[str], *, long: bool = False) -> None:
    """Print how long rebuilds took, where they failed, and which never ended.

    Groups are by ``image``, ``host``, ``user`` or ``project``.
    """
    from serverdomain.adapters.cli import plots

    counted = ", ".join(f"{count} {how}" for how, count in found.outcomes.items())
    say(f"{found.requested} rebuilds: {counted or 'none'}")
    if found.calls:
        reported = ", ".join(f"{count} {how}" for how, count in found.calls.items())
        say(f"reported by other sources: {reported}")
    if not found.requested:
        return
    if found.durations:
        say_sentence(f"those that completed took {_percentiles(found.seconds)}")
        say("")
        # The longest rebuilds would flatten the plot. Rounded, as percentiles are.
        most = found.seconds["p99"]
        minutes = [seconds / 60 for seconds in found.durations if round(seconds, 1) <= most]
        plots.say_histogram(minutes, "minutes that a rebuild took, the longest 1 % left out")
    for what in group_by:
        groups: list[Group] = getattr(found, f"by_{what}")
        say("")
        say_table(
            (what, "rebuilds", "failed", "share", "half took", "9 of 10 took"),
            (_group(group) for group in groups),
            long=long,
        )
    if found.never_ended:
        say("\nnever ended:")
        say_table(
            ("requested", "server", "image", "rebuild"),
            (
                (one.requested_at, one.server_id, one.image_id, one.rebuild_id)
                for one in found.never_ended
            ),
            long=long,
        )


def say_images(
    found: Images, still: list[dict[str, Any]], limit: int, *, long: bool = False
) -> None:
    """Print the fleet by image and month, and the servers that ``still`` run the given image."""
    from serverdomain.adapters.cli import plots

    used = [use for use in found.images if use.now]
    say(f"{sum(use.now for use in used)} servers run {len(used)} images")
    if not found.images:
        return
    beside = _BESIDE_WHOLE_ID if long else _BESIDE_MONTHS
    parts = min(max((width() - beside) // _MONTH, 1), _SHOWN_MONTHS)
    last = len(found.months) - 1
    shown = sorted({round(part * last / parts) for part in range(1, parts + 1)})
    listed = found.images[:limit]
    say("")
    say_table(
        ("image", "now", "most", *(found.months[place] for place in shown)),
        (
            (use.image_id, use.now, use.most, *(use.by_month[place] for place in shown))
            for use in listed
        ),
        long=long,
    )
    say("")
    # Only what the table has, too.
    most_used = sorted(listed, key=lambda use: -use.most)[:_SHOWN_LINES]
    series = {use.image_id[:8]: use.by_month for use in most_used}
    plots.say_series(found.months, series, "servers by image, at the end of each month")
    if found.servers is not None:
        say(f"\n{len(still)} servers still run {found.image_id}:")
        say_table(
            ("server", "name", "status", "project", "since"),
            (one.values() for one in still),
            long=long,
        )


def say_metadata(found: LostMetadata, group_by: str, *, long: bool = False) -> None:
    """Print which keys were lost, by whose rebuilds or of which ``project``, and when."""
    from serverdomain.adapters.cli import plots

    say_sentence(f"{found.rebuilds} rebuilds took metadata away from {found.servers} servers")
    if not found.rebuilds:
        return
    say("")
    say_table(
        ("key", "rebuilds", "servers", "last"),
        ((one.key, one.rebuilds, one.servers, one.last) for one in found.keys),
        wrapped=("key",),
        long=long,
    )
    say("")
    groups = [(one.user_id, one.rebuilds, one.keys) for one in found.by_user]
    if group_by == "project":
        groups = [(one.project_id, one.rebuilds, one.keys) for one in found.by_project]
    say_table((group_by, "rebuilds", "keys"), groups, long=long)
    say("")
    months, counts = list(found.by_month), list(found.by_month.values())
    plots.say_counts(months, counts, "rebuilds that took metadata away, by month")
    say("\nlatest:")
    say_table(
        ("occurred", "server", "user", "request", "keys"),
        (
            (one.occurred_at, one.server_id, one.user_id, one.request_id, ", ".join(one.keys))
            for one in found.latest
        ),
        wrapped=("keys",),
        long=long,
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
