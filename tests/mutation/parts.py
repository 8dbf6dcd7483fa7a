"""The parts that are changed one after another: what of the code, and the tests that must notice.

A test belongs to a part when it takes milliseconds and says what the part's code does; mutmut finds
out which of them run a function, and asks the quickest first. Those of processes, kills and power
cuts are long and see no single line. mutmut asks a test by its id: one with quotes in it, made of a
parameter's text, is not found.
"""

from typing import NamedTuple


class Part(NamedTuple):
    """Sources below src/serverdomain, tests below tests, and how long it may take.

    ``minutes`` are those on two quiet cores.
    """

    name: str
    minutes: int
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Tests that are left out: they are long, look at another process, or count what is there."""


PARTS = (
    # What no engine decides is held to the contract in lists, where a test takes milliseconds.
    Part(
        "domain",
        5,
        ("domain/decisions.py", "domain/history.py", "domain/lifecycle.py", "domain/server.py"),
        ("domain",),
        ("domain/test_decisions.py::TestAnyWayThroughTheTable",),
    ),
    Part(
        "store",
        5,
        ("store/accept.py", "store/codec.py", "store/refusals.py", "store/sqlite/schema.py"),
        (
            "store/test_accept.py",
            "store/test_codec.py",
            "store/test_list_log.py",
            "store/test_newer_release.py",
            "store/test_refusals.py",
            "store/test_schema.py",
        ),
    ),
    Part("audit-ledger", 15, ("audit/ledger/*",), ("audit/ledger",)),
    Part(
        "projections-reactions",
        15,
        (
            "projections/reactions.py",
            "projections/saved_bookmark.py",
            "projections/told.py",
            "projections/attempts.py",
            "projections/happened.py",
        ),
        (
            "projections/test_reactions.py",
            "projections/test_reactions_stopped.py",
            "projections/test_saved_bookmark.py",
            "projections/test_attempts.py",
            "projections/test_happened.py",
        ),
    ),
    Part(
        "projections-owner",
        5,
        ("projections/view_owner.py",),
        (
            "projections/test_view_owner.py",
            "projections/test_view_place.py",
            "projections/test_exchanged.py",
        ),
    ),
    Part(
        "projections-questions",
        10,
        ("projections/server_query.py", "projections/history.py"),
        ("projections/test_list.py", "projections/test_history.py"),
    ),
    Part(
        "projections-views",
        15,
        (
            "projections/view.py",
            "projections/view_file.py",
            "projections/view_place.py",
        ),
        (
            "projections/test_view.py",
            "projections/test_view_owner.py",
            "projections/test_view_place.py",
            "projections/test_exchanged.py",
            "projections/test_gone.py",
            "projections/test_catch_up.py",
            "projections/test_replay.py",
            "read_only/test_no_room.py",
            "store/test_out_of_reach.py",
        ),
        (
            "projections/test_catch_up.py::test_two_processes_catch_up_at_once",
            "projections/test_gone.py::test_processes_that_find_it_damaged_at_once_go_on_with_one_file",
            "projections/test_gone.py::test_threads_go_on_while_the_file_is_removed_again_and_again",
            "projections/test_replay.py::test_processes_replay_while_another_appends_and_follows",
        ),
    ),
    Part(
        "endpoint-tokens",
        5,
        ("adapters/http/serving/token_file.py",),
        ("adapters/http/serving/test_token_file.py",),
    ),
    Part(
        "audit-check-log",
        10,
        ("audit/check.py", "audit/check_log.py", "audit/check_times.py"),
        ("audit/test_check.py",),
        ("audit/test_check.py::test_of_any_history_a_forged_row_of_the_timeline_is_found",),
    ),
    Part(
        "endpoint-admission",
        10,
        tuple(
            f"adapters/http/calls/{name}.py"
            for name in ("admission", "authentication", "call", "head", "machine", "secrets")
        ),
        (
            "adapters/http/test_log.py",
            *(
                f"adapters/http/calls/test_{name}.py"
                for name in (
                    "authentication",
                    "bodies",
                    "call",
                    "head",
                    "machine",
                    "microversion",
                    "request_ids",
                    "secrets",
                    "who_may",
                )
            ),
        ),
    ),
    Part(
        "endpoint-calls",
        5,
        tuple(
            f"adapters/http/calls/{name}.py"
            for name in (
                "answers",
                "cloud",
                "control",
                "endpoint",
                "glance",
                "min_position",
                "route",
                "waits",
            )
        ),
        (
            *(
                f"adapters/http/calls/test_{name}.py"
                for name in (
                    "answers",
                    "authentication",
                    "bodies",
                    "call",
                    "cloud",
                    "control",
                    "faults",
                    "glance",
                    "head",
                    "machine",
                    "min_position",
                    "request_ids",
                    "route",
                    "waiting",
                    "who_may",
                )
            ),
            *(
                f"adapters/http/routes/test_{name}.py"
                for name in ("images_and_flavors", "pages", "routes", "versions")
            ),
            "adapters/http/test_log.py",
            "read_only/test_refused.py::test_all_but_get_and_head_over_http",
        ),
    ),
    Part(
        "endpoint-serving",
        15,
        tuple(
            f"adapters/http/serving/{name}.py"
            for name in ("accepting", "protocol", "requests", "sent_ahead", "server", "untaken")
        ),
        tuple(
            f"adapters/http/serving/test_{name}.py"
            for name in ("accepting", "listening", "protocol", "sent_ahead", "server", "untaken")
        ),
    ),
    Part(
        "audit-check-views",
        10,
        ("audit/check_view.py", "audit/check_timeline.py"),
        ("audit/test_check.py",),
    ),
    Part("audit-backup", 5, ("audit/backup.py",), ("audit/test_backup.py",)),
    Part("audit-as-of", 5, ("audit/as_of.py",), ("audit/test_as_of.py",)),
    Part(
        "audit-what-if",
        10,
        ("audit/past_requests.py", "audit/supposed.py", "audit/what_if.py"),
        ("audit/test_what_if.py", "audit/test_ends_of_rebuilds.py"),
    ),
    Part(
        "audit-diff",
        5,
        ("audit/diff.py", "audit/patch.py"),
        ("audit/test_diff.py", "audit/test_reported_calls.py"),
    ),
    Part(
        "audit-fleet",
        15,
        ("audit/fleet.py", "audit/keyframes.py"),
        ("audit/test_fleet.py", "audit/test_keyframes.py", "servers/test_shown.py"),
        (
            "audit/test_fleet.py::test_it_has_no_method_that_would_write",
            "audit/test_keyframes.py::test_two_processes_at_once_never_disagree",
            "audit/test_keyframes.py::test_a_killed_process_leaves_nothing_wrong",
        ),
    ),
    Part(
        "audit-reports",
        10,
        ("audit/actions.py", "audit/rebuild_times.py", "audit/reports/*"),
        (
            "audit/test_actions.py",
            "audit/test_ends_of_rebuilds.py",
            "audit/test_reported_calls.py",
            "audit/test_reports.py",
        ),
    ),
    Part("audit-digest", 5, ("audit/digest.py",), ("audit/test_digest.py",)),
    Part(
        "projections-waited",
        5,
        tuple(
            f"projections/{name}.py" for name in ("beginnings", "coming", "follow", "told_lately")
        ),
        tuple(
            f"projections/test_{name}.py"
            for name in ("beginnings", "coming", "follow", "told_lately")
        ),
    ),
    Part(
        "projections-servers",
        5,
        ("projections/server_view.py",),
        (
            "projections/test_list.py",
            "projections/test_server_filters.py",
            "projections/test_server_view.py",
            "projections/test_view.py",
        ),
    ),
    Part(
        "projections-following",
        15,
        tuple(
            f"projections/{name}.py"
            for name in ("following", "generations", "server_page", "server_rows")
        ),
        tuple(
            f"projections/test_{name}.py"
            for name in (
                "catch_up",
                "following",
                "pages_together",
                "put_back",
                "replay",
                "server_page",
                "server_rows",
                "server_view",
                "view",
            )
        ),
        (
            "projections/test_catch_up.py::test_two_processes_catch_up_at_once",
            "projections/test_replay.py::test_processes_replay_while_another_appends_and_follows",
        ),
    ),
    Part(
        "projections-timeline",
        5,
        ("projections/timeline.py", "projections/timeline_rows.py"),
        (
            "projections/test_pages_together.py",
            "projections/test_timeline.py",
            "projections/test_timeline_rows.py",
            "audit/test_ends_of_rebuilds.py",
            "audit/test_reported_calls.py",
            "audit/test_reports.py",
        ),
    ),
)

TABLES = Part(
    "tables",
    10,
    ("domain/server.py", "domain/decisions.py", "domain/lifecycle.py", "store/sqlite/schema.py"),
    ("domain", "store/test_schema.py", "store/test_recorder.py", "store/test_sqlite_store.py"),
)
"""What stands outside of functions, which mutmut does not see: tests/mutation/outside_functions."""

ROOMS = ("projections", "audit", "adapters/http/calls", "adapters/http/serving")
"""Every module of these is in a part, or says below why it is in none."""

IN_NO_PART = {
    "projections/__init__.py": "It holds no function.",
    "projections/kept_rows.py": "No function of it does anything.",
    "audit/__init__.py": "It holds no function.",
    "adapters/http/calls/__init__.py": "It holds no function.",
    "adapters/http/serving/__init__.py": "It holds no function.",
}
