"""Each sentence of docs/backup.md has a test that holds it, or says only what to do."""

from __future__ import annotations

import ast
import re

from markdown_it import MarkdownIt

from tests.house.imports import ROOT

COPIES, BACKUP, OPENED = "audit/test_copies", "audit/test_backup", "store/test_opened_file"
PAGE = "house/test_pages::test_all_pages_are_followed_in_one_folder_each_of_them_twice"
"""Holds the commands below a sentence."""

ADVICE = ""
"""Promises nothing: it says what to do."""

HELD = {
    "A log is one file, and": f"{COPIES}"
    "::test_so_it_does_after_a_crash_and_with_its_wal_it_is_whole",
    "That is all there is": f"{COPIES}::test_all_that_a_log_is_followed_into_is_made_from_its_copy",
    "To follow this page, begin": PAGE,
    "The copy is of one": f"{BACKUP}::test_what_is_written_between_two_pages_is_not_in_it",
    "It is in SQLite's rollback": f"{BACKUP}::test_it_is_one_file_that_needs_no_wal",
    "It appears under its name": "store/test_durable"
    "::test_the_file_is_synced_before_it_takes_its_place_and_the_folder_after",
    "Its mode is that of": f"{BACKUP}::test_whoever_may_not_read_the_log_may_not_read_its_copy"
    f" {BACKUP}::test_what_the_umask_takes_the_copy_has_not",
    "If there is a file": "adapters/cli/test_backup::test_a_file_that_is_there_is_refused",
    "If the command is killed,": f"{COPIES}"
    "::test_what_a_killed_backup_left_is_hidden_and_the_next_one_removes_it",
    "`--key` signs the copy into": f"{BACKUP}::test_with_a_key_the_copy_is_signed",
    "Keep that and the public": f"{COPIES}"
    "::test_a_checkpoint_and_the_public_key_show_an_edit_of_the_copy",
    "`--verify` reads the copy back;": f"{BACKUP}"
    "::test_a_log_that_does_not_hold_is_copied_as_it_is_but_not_verified",
    "Without it, a damaged log": f"{BACKUP}::test_pages_that_cannot_be_read_are_copied_too",
    "From Python:": PAGE,
    "It is SQLite's own online": f"{BACKUP}::test_what_is_written_between_two_pages_is_not_in_it",
    "While it runs, the `-wal`": "store/test_wal_size"
    "::test_once_a_long_reader_has_left_it_is_short_again",
    "`cp cloud.db` while the log": f"{COPIES}"
    "::test_a_copy_of_the_file_alone_lacks_what_waits_in_the_wal",
    "`cp cloud.db` and then `cp": f"{COPIES}::test_both_of_different_moments_are_a_damaged_log",
    "both while nobody writes, or": f"{COPIES}::test_both_while_nobody_writes_are_whole",
    "`cp cloud.db` after everything was": f"{COPIES}"
    "::test_after_everything_was_closed_the_file_is_whole",
    "SQLite's own backup (`.backup` in": f"{COPIES}::test_sqlites_own_backup_and_vacuum_are_whole",
    "`cp -al`, a hard link": f"{OPENED}::test_a_file_with_two_names_may_be_read_alone",
    "A `-wal` that is left": f"{COPIES}::test_a_wal_left_beside_another_file_is_a_damaged_log",
    "So whenever you put a": ADVICE,
    "Never remove or empty a": ADVICE,
    "A service that finds one": f"{OPENED}"
    "::test_nothing_is_acknowledged_where_a_file_beside_it_was_removed",
    "One that was emptied it": f"{COPIES}"
    "::test_a_wal_that_is_emptied_under_a_service_is_not_noticed_in_time",
    "What other processes wrote meanwhile": f"{COPIES}"
    "::test_without_the_shm_processes_do_not_see_each_other",
    "Stop everything that has the": ADVICE,
    "Then remove the log and": PAGE,
    "Its view sees that the": f"{COPIES}::test_a_restore_by_moving_is_noticed_and_the_view_follows",
    "A ledger checkpoint of what": f"{COPIES}"
    "::test_a_restore_by_moving_is_noticed_and_the_view_follows",
    "A reaction goes on from": f"{COPIES}"
    "::test_a_reaction_goes_on_from_the_place_of_the_copy_and_may_be_told_twice",
    "A service that still has": f"{COPIES}::test_over_http_a_log_that_was_exchanged_is_503"
    f" {OPENED}::test_what_is_opened_anew_is_what_was_put_back",
    "That holds where the file": f"{OPENED}::test_a_removed_or_replaced_log_answers_nothing",
    "A command that is at": f"{OPENED}"
    "::test_what_was_committed_into_a_file_that_went_meanwhile_is_not_acknowledged",
    "If that file comes back": "store/test_out_of_reach"
    "::test_all_say_that_the_log_is_out_of_reach_and_go_on_when_it_is_back",
    "`cp` *over* a file that": f"{COPIES}"
    "::test_a_copy_over_an_open_file_is_the_same_file_and_not_noticed_in_time",
    "Put the copy beside the": f"{COPIES}"
    "::test_a_restore_by_moving_is_noticed_and_the_view_follows",
}


def sentences(page: str) -> list[str]:
    """The page's sentences, and the rows of its tables by their first cell."""
    found: list[str] = []
    kinds: list[str] = []
    for token in MarkdownIt().enable("table").parse(page):
        if token.type == "inline" and kinds[-1] == "paragraph_open":
            text = token.content.replace("\n", " ")
            found += re.split(r"(?<=[.:]) (?=[A-Z`])", text)
        elif token.type == "inline" and kinds[-2:] == ["tr_open", "td_open"]:
            found.append(token.content)
        kinds.append(token.type)
    return found


def test_every_sentence_about_backups_has_a_test() -> None:
    page = (ROOT / "docs/backup.md").read_text("utf-8")
    said = [
        next((begins for begins in HELD if one.startswith(begins)), one) for one in sentences(page)
    ]
    assert said == list(HELD)


def test_the_tests_of_sentences_about_backups_are_there() -> None:
    missing = []
    for one in " ".join(HELD.values()).split():
        module, _, name = one.partition("::")
        tree = ast.parse((ROOT / f"tests/{module}.py").read_text("utf-8"))
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(one)
    assert missing == []
