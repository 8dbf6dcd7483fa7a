"""A page as it is seen: on a phone and on a laptop, in the light and in the dark, as pictures.

With ``PICTURES=build/pictures`` in the environment they are kept there, to be looked at:
``PICTURES=build/pictures pytest tests/browser/test_pictures.py`` draws everything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.browser.conftest import Watched

SCREENS = {"phone": (390, 844), "laptop": (1440, 900)}
THEMES = ("light", "dark")

_WRONG = (Path(__file__).parent / "wrong.js").read_text("utf-8")


def drawn(browser: Any, pages: Mapping[str, str], tmp_path: Path) -> list[str]:
    """Draw pages, which are URLs by name; gives what is wrong with them.

    Where they are not kept, no more is drawn than a screen shows at a time.
    """
    kept = os.environ.get("PICTURES")
    folder = Path(kept or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    wrong = []
    for screen, (width, height) in SCREENS.items():
        watched = Watched(browser, viewport={"width": width, "height": height})
        page = watched.page
        for name, url in pages.items():
            page.goto(url)
            found = page.evaluate(_WRONG)
            wrong += [f"{name} on a {screen}: {one}" for one in found]
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                picture = folder / f"{name}-{screen}-{theme}.png"
                page.screenshot(path=picture, full_page=kept is not None)
        wrong += [f"on a {screen}: {one}" for one in watched.wrong]
        watched.context.close()
    return wrong
