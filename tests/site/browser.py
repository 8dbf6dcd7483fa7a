"""The site in a browser without a window; and all of it as pictures, to be looked at.

``python -m tests.site.browser SITE FOLDER [PAGE…]`` takes a picture of each page of a built site,
or of those named, on a phone and on a laptop, light and dark.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"phone": 500, "laptop": 1280}
THEMES = {"dark": 0, "light": 1}


def in_a_browser(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page and end; skips where there is no Chromium."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    with TemporaryDirectory() as profile:
        asked = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        asked += [f"--user-data-dir={profile}", "--virtual-time-budget=10000", *options, url]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)


def main(site: Path, folder: Path, *names: str) -> None:
    for page in sorted(site.rglob("*.html")):
        name = page.relative_to(site).with_suffix("").as_posix()
        for width, pixels in WIDTHS.items():
            for theme, number in THEMES.items():
                if not names or name in names:
                    picture = folder / f"{name.replace('/', '-')}-{width}-{theme}.png"
                    in_a_browser(
                        page.as_uri(),
                        f"--window-size={pixels},1600",
                        f"--blink-settings=preferredColorScheme={number}",
                        f"--screenshot={picture}",
                    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]), *sys.argv[3:])
