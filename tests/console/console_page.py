"""What the browser tests share: patient expectations, and the places of the page by their names."""

from collections.abc import Callable
from typing import Any

from localcloud.account.cloud import Cloud
from localcloud.server.server import Running

Open = Callable[..., Any]
Serve = Callable[[Cloud], Running]


def expect(thing: Any) -> Any:
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=30_000)
    return playwright_expect(thing)


def tile(page: Any, name: str) -> Any:
    return page.locator(".tile", has=page.get_by_text(name, exact=True))


def fire(page: Any, name: str) -> None:
    tile(page, name).click()
    page.get_by_role("button", name=f"Fire a CPU alarm at {name}").click()


def row(page: Any, number: int) -> Any:
    return page.locator(f".events [data-number='{number}']")
