import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from console_client import Client

from console import chromium
from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.server.server import Running, running


@pytest.fixture
def serve() -> Iterator[Callable[[Cloud], Running]]:
    with ExitStack() as servers:
        yield lambda cloud: servers.enter_context(running(cloud))


@pytest.fixture
def where(serve: Callable[[Cloud], Running]) -> Running:
    return serve(Cloud.from_fleet(fleet.default(), time_scale=20))


@pytest.fixture
def client(where: Running) -> Client:
    return Client(where)


# Of a module, not of the session: while Playwright is open in a thread, nothing else can run an event loop there.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium.path()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI tests the console in a browser: {chromium.ADVICE}")
        pytest.skip(chromium.ADVICE)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield launched
        launched.close()


def is_complaint(said: Any) -> bool:
    """Return whether the browser says that something failed: more than a look at an event that a reset took away."""
    gone = "404" in said.text and "/console/api/event?" in said.location.get("url", "")
    return bool(said.type == "error" and not gone)


@pytest.fixture
def open_console(browser: Any, serve: Any) -> Iterator[Callable[..., Any]]:
    del serve  # it ends after the pages do
    contexts = []
    complaints: list[str] = []

    def open_at(where: Running, *, view: str = "live", script: str = "", **context: Any) -> Any:
        settings = {"viewport": {"width": 1440, "height": 1000}, "locale": "en-US", **context}
        opened = browser.new_context(**settings)
        contexts.append(opened)
        opened.set_default_timeout(20_000)
        page = opened.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on(
            "request",
            lambda sent: None if sent.url.startswith(where.url) else complaints.append(f"asked for {sent.url}"),
        )
        if script:
            page.add_init_script(script)
        page.goto(f"{where.console}#{view}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert not complaints, complaints
