"""axe finds nothing serious: in each view, empty and after a story, wide and light as narrow and dark."""

from importlib.resources import files
from typing import Any

import pytest
from console_page import Open, expect, fire, row

from localcloud.server.server import Running

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
VIEWS = ("Live", "Records", "Ledger", "Chat", "Settings")


def grave(page: Any) -> list[str]:
    """Return what axe calls serious or critical on the page as it is."""
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_serious(where: Running, open_console: Open, scheme: str, width: int) -> None:
    page = open_console(where, script=AXE, color_scheme=scheme, viewport={"width": width, "height": 900})
    expect(page.locator(".tile").first).to_be_visible()
    assert grave(page) == []
    page.get_by_role("switch", name="Slow").click()
    page.get_by_role("button", name="1 locked").click()
    fire(page, "db-01")
    expect(row(page, 1).locator(".verdict")).to_have_text("skip · locked")
    page.get_by_role("button", name="Run again under other settings").click()
    for view in VIEWS:
        page.get_by_role("link", name=view, exact=True).click()
        expect(page.locator("main .panel:visible").first).to_be_visible()
        assert (view, grave(page)) == (view, [])
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [violation for violation in grave(page) if violation.startswith("button-name")], "axe finds what is wrong"
