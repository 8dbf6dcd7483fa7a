"""``make routes``: run the tests that show the routes, and write docs/routes.md from that."""

from __future__ import annotations

from tests.routes.page import PAGE, page, tests
from tests.routes.recording import record

if __name__ == "__main__":
    PAGE.write_text(page(record(tests())), "utf-8")
