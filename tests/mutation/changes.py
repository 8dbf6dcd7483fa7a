"""A change told as a diff's lines: what says which mutant it is, for as long as its line stands."""

import re
from difflib import unified_diff


def change_between(before: list[str], after: list[str]) -> str:
    return change_of("\n".join(unified_diff(before, after, n=0, lineterm="")))


def change_of(diff: str) -> str:
    """The lines of a diff that differ, without their indentation."""
    lines = (line for line in diff.splitlines() if re.match(r"[-+](?![-+]{2} )", line))
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines)
