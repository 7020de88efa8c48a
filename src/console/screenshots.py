"""The pictures of the console in docs/images: ``python -m console.screenshots [FOLDER]``.

Needs a Chromium on PATH. The story in them is the README's: an alarm reboots web-01, and db-01, which is locked, is
left alone.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from console import chromium
from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.server.server import running

FOLDER = Path("docs/images")
_DESKTOP = {"viewport": {"width": 1440, "height": 960}, "locale": "en-US", "color_scheme": "light"}
_CONTEXTS: Mapping[str, Mapping[str, Any]] = {
    "console.png": _DESKTOP,
    "console-dark.png": {**_DESKTOP, "color_scheme": "dark"},
    "console-phone.png": {**_DESKTOP, "viewport": {"width": 390, "height": 844}, "is_mobile": True},
}


def main(arguments: Sequence[str]) -> int:
    """Take all pictures; returns the exit status: 0 done, 1 without a Chromium."""
    path = chromium.path()
    if path is None:
        sys.stderr.write(f"screenshots: {chromium.ADVICE}\n")
        return 1
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with running(Cloud.from_fleet(fleet.default())) as where, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        for name, context in _CONTEXTS.items():
            where.cloud.reset()
            page = browser.new_context(**context).new_page()
            page.goto(where.console)
            _tell_the_story(page)
            page.screenshot(path=folder / name)
            sys.stdout.write(f"{folder / name}\n")
        browser.close()
    return 0


def _tell_the_story(page: Page) -> None:
    _fire(page, "web-01")
    page.locator(".tile[data-status=Stopping]").wait_for()
    _fire(page, "db-01")
    page.locator(".step-guards [data-outcome=failed]").wait_for()
    page.locator(".step-records .store.written").wait_for()
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")


def _fire(page: Page, name: str) -> None:
    page.locator(".tile", has=page.get_by_text(name, exact=True)).click()
    page.get_by_role("button", name=f"Fire a CPU alarm at {name}").click()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
