"""``make routes``: run the tests that show the routes, and write docs/routes.md from that."""

from __future__ import annotations

from tests.routes.page import PAGE, page, those_that_show
from tests.routes.recording import record

if __name__ == "__main__":
    PAGE.write_text(page(record(those_that_show())), "utf-8")
