"""``python -m tests.hostile``: the table of docs/bounds.md, measured on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.hostile.measuring import crowd, ordinary, serving


def main(seconds: float = 120) -> None:
    print("| | calls | p50 | p99 | longest | memory | descriptors | threads |")
    print("|---|---|---|---|---|---|---|---|")

    def row(name: str, *cells: object) -> None:
        print(f"| {name} | {' | '.join(map(str, cells))} |", flush=True)

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        for name, hostile in (("alone", False), ("beside hostile clients", True), ("after", False)):
            if hostile:
                with crowd(served):
                    waits, held = ordinary(served, seconds), served.held()
            else:
                waits, held = ordinary(served, seconds / 6), served.held()
            row(
                name,
                f"{waits.calls:,}",
                *(f"{wait:,.0f} ms" for wait in waits[1:]),
                f"{held.memory} MiB",
                held.descriptors,
                held.threads,
            )


if __name__ == "__main__":
    main()
