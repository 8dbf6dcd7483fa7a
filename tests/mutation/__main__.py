"""Change the code in small ways, one at a time, and list the changes that no test notices.

Part by part: `python -m tests.mutation [PART …]`, all of them by default, each in its own
folder and alone if need be. What survives and does not stand in survivors.toml with its reason
makes its part fail, and so does a reason that is no longer needed.
"""

import argparse
import os
import subprocess
import sys
from datetime import datetime

from tests.mutation import in_functions, outside_functions
from tests.mutation.parts import PARTS, TABLES, Part
from tests.mutation.survivors import Survivor, reasons


def main() -> int:
    everyone = (*PARTS, TABLES)
    named = [part.name for part in everyone]
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"a part, or a beginning of some: {named}")
    parser.add_argument(
        "--children", type=int, default=os.cpu_count(), help="how many are tried at once"
    )
    parser.add_argument(
        "--again", action="store_true", help="ask only about what the last run did not kill"
    )
    asked = parser.parse_args()
    chosen = [
        part for part in everyone if not asked.part or part.name.startswith(tuple(asked.part))
    ]
    if not chosen:
        parser.error(f"there is no part {asked.part}, there are {named}")
    failed = [part.name for part in chosen if not _passes(part, asked.children, again=asked.again)]
    print(f"\n{len(chosen)} parts, failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


def _passes(part: Part, children: int, *, again: bool) -> bool:
    begun = datetime.now().astimezone()
    print(f"\n{part.name}: {', '.join(part.sources)}")
    print(f"  asked are {', '.join(part.tests)}; within {part.minutes} minutes on two quiet cores")
    try:
        if part is TABLES:
            verdicts, found = outside_functions.survivors(part, children)
        else:
            verdicts, found = in_functions.survivors(part, children, again=again)
    except subprocess.CalledProcessError:
        # mutmut has said why.
        print(f"{part.name}: it cannot be run")
        return False
    minutes = (datetime.now().astimezone() - begun).total_seconds() / 60
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    print(f"{part.name}: {verdicts.total()} mutants in {minutes:.1f} minutes: {told}", flush=True)
    return _is_as_listed(part, found)


def _is_as_listed(part: Part, found: list[Survivor]) -> bool:
    known = reasons(part.name)
    new = [one for one in found if not any(reason.excuses(one) for reason in known)]
    for one in sorted(new):
        print(f"\n[[{part.name}]]\n{one}")
    idle = [reason for reason in known if not any(reason.excuses(one) for one in found)]
    for reason in idle:
        print(f"\nlisted, but nothing like it survives: {reason}")
    return not new and not idle


if __name__ == "__main__":
    sys.exit(main())
