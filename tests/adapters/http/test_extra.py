"""What the extra brings, and what is said where it is missing."""

from __future__ import annotations

import subprocess
import sys

from serverdomain.errors import ExtraMissing


def test_without_the_extra_one_sentence_names_it() -> None:
    asked = "import sys; sys.modules['starlette'] = None; import serverdomain.adapters.http"

    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        f"serverdomain.errors.ExtraMissing: {ExtraMissing('the endpoint', 'starlette', 'http')}"
    )
