"""The first view, and the list of events: decisions, addresses, filters, running again, storms and batches."""

import json
import re

from console_client import DB_01, WEB_01
from console_page import Open, Serve, expect, fire, row, tile

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet
from localcloud.server.server import Running

EMPTY = """
() => [...document.querySelectorAll("main ol, main ul, main tbody, main dl, main section.panel")]
  .filter((one) => one.checkVisibility() && !one.textContent.trim()).map((one) => one.className || one.tagName)
"""


def test_the_first_view_says_what_this_is_and_starts_the_story(where: Running, open_console: Open) -> None:
    page = open_console(where)
    expect(page.locator(".tile")).to_have_count(6)
    expect(page.locator(".welcome")).to_contain_text("a cloud that exists only on this machine")
    expect(page.locator(".outline li")).to_have_count(6)
    assert page.locator("main .primary:visible").all_inner_texts() == ["Start: a CPU alarm at web-01"]
    assert page.evaluate(EMPTY) == []
    page.get_by_role("link", name="Records").click()
    expect(page.locator(".records")).to_contain_text("Nothing is recorded yet")
    assert page.evaluate(EMPTY) == []
    page.get_by_role("link", name="Send an event").click()
    page.get_by_role("button", name="Start: a CPU alarm at web-01").click()
    expect(page.locator(".story .step-records")).to_contain_text("recovered")
    expect(page.locator(".welcome")).to_be_hidden()
    assert [call["parameters"].get("InstanceId.1") for call in where.cloud.audit.calls("RebootInstances")] == [WEB_01]


def test_a_fleet_with_nothing_in_it_is_said_to_be_so(serve: Serve, open_console: Open) -> None:
    page = open_console(serve(Cloud.from_fleet(Fleet())))
    expect(page.locator(".welcome")).to_contain_text("declares no instance")
    assert page.evaluate(EMPTY) == []


def test_while_nothing_has_been_loaded_that_is_said_and_not_that_the_fleet_is_empty(
    where: Running, open_console: Open
) -> None:
    page = open_console(where, script="window.EventSource = class { constructor() { window.line = this; } };")
    welcome, line = page.locator(".welcome"), page.locator("#line")
    expect(welcome.get_by_role("status")).to_have_text("loading …")
    expect(line).to_have_text("loading …")
    page.evaluate("line.onerror()")
    expect(welcome).to_contain_text("No connection to serve")
    expect(line).to_have_text("no connection")
    page.get_by_label("Language", exact=True).select_option("zh-CN")
    expect(welcome).to_contain_text("无法连接提供本页面的 serve")
    page.evaluate("line.onopen()")
    expect(welcome).to_contain_text("加载中")


def test_the_list_tells_decisions(where: Running, open_console: Open) -> None:
    page = open_console(where, timezone_id="Asia/Tokyo")
    tile(page, "web-02").click()
    page.get_by_role("button", name="Dry run and explain").click()
    expect(row(page, 1).locator(".verdict")).to_have_text("dry run · DRYRUN.SUCCESS")
    fire(page, "web-01")
    fire(page, "db-01")
    expect(row(page, 2)).to_contain_text("web-01")
    expect(row(page, 2).locator(".verdict")).to_have_text("reboot · recovered")
    expect(row(page, 3).locator(".verdict")).to_have_text("skip · locked")
    expect(row(page, 3).locator(".verdict")).to_have_attribute("title", "an operation lock prohibits it")
    colours = {
        number: row(page, number).locator(".verdict").evaluate("(one) => getComputedStyle(one).backgroundColor")
        for number in (1, 2, 3)
    }
    assert len(set(colours.values())) == 3
    time = row(page, 2).locator("time")
    raw = time.get_attribute("title")
    assert raw.endswith("Z")
    hour = (int(raw[11:13]) + 9) % 24
    expect(time).to_have_text(re.compile(f"^{hour:02}:"))
    page.get_by_label("Time zone").select_option("UTC")
    expect(time).to_have_text(raw[11:19])


def test_an_event_keeps_its_address(where: Running, open_console: Open) -> None:
    page = open_console(where)
    fire(page, "db-01")
    expect(page).to_have_url(f"{where.console}#event/1")
    fire(page, "legacy-01")
    expect(page).to_have_url(f"{where.console}#event/2")
    expect(page.locator(".story-head .number")).to_have_text("#2")
    page.go_back()
    expect(page.locator(".story-head .number")).to_have_text("#1")
    page.reload()
    expect(page.locator(".story-head .number")).to_have_text("#1")
    expect(row(page, 1)).to_have_attribute("aria-current", "true")
    page = open_console(where, view="event/77")
    expect(page.locator(".story")).to_contain_text("This event is no longer kept")


def test_the_list_is_filtered_by_verdict_and_instance(where: Running, open_console: Open) -> None:
    page = open_console(where)
    for name in ("db-01", "legacy-01", "web-01"):
        fire(page, name)
    rows = page.locator(".events > li")
    expect(rows).to_have_count(3)
    expect(page.locator(".events .verdict")).to_have_count(3)
    page.get_by_label("Filter events by verdict").select_option("skip")
    expect(rows).to_have_count(2)
    page.get_by_label("Filter events by verdict").select_option("code locked")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("db-01")
    page.get_by_label("Filter events by instance").fill("web-01")
    expect(page.locator(".story-panel")).to_contain_text("No event is found by these filters")
    page.get_by_label("Filter events by verdict").select_option("")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("recovered")


def test_an_event_runs_again_as_it_is_and_under_other_settings(where: Running, open_console: Open) -> None:
    page = open_console(where)
    fire(page, "web-01")
    expect(row(page, 1)).to_contain_text("recovered")
    page.get_by_role("button", name="Run again", exact=True).click()
    expect(row(page, 2)).to_contain_text("↻ #1")
    expect(row(page, 2).locator(".verdict")).to_contain_text("skip")
    page.get_by_role("button", name="Run again under other settings").click()
    page.get_by_label("For this run alone").fill("GRACE_SECONDS=no")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".again-form [role=alert]")).to_contain_text("give a whole number")
    page.get_by_label("For this run alone").fill("GRACE_SECONDS=0\nCOOLDOWN_SECONDS=0\nMAX_REBOOTS=off")
    page.locator("#again-dry-run").check()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(row(page, 3).locator(".verdict")).to_have_text("dry run · DRYRUN.SUCCESS")
    expect(row(page, 3)).to_contain_text("other settings")
    assert len(where.cloud.audit.calls("RebootInstances")) == 2
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_label("COOLDOWN_SECONDS", exact=True)).to_have_value("1800")


def test_a_batch_folds_into_a_sentence_and_opens(where: Running, open_console: Open) -> None:
    page = open_console(where)
    page.get_by_label("Sample").select_option("")
    page.get_by_label("Event", exact=True).fill(
        json.dumps({"instance_ids": [WEB_01, DB_01], "region_id": "cn-hangzhou", "reason": "a test"})
    )
    page.get_by_role("button", name="Send", exact=True).click()
    expect(row(page, 1).locator(".tally")).to_have_text("1 rebooted, 1 held back")
    expect(page.locator(".inside .decision")).to_have_count(0)
    row(page, 1).click()
    expect(row(page, 1)).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".inside .decision")).to_have_count(2)
    expect(page.locator(".inside .decision", has_text="db-01")).to_contain_text("skip · locked")


def test_a_storm_reboots_no_more_than_the_limit(where: Running, open_console: Open) -> None:
    page = open_console(where)
    page.get_by_label("Alarms").fill("12")
    page.get_by_role("button", name="Storm").click()
    progress = page.locator(".events .fold").get_by_role("progressbar")
    expect(progress).to_have_attribute("max", "12")
    expect(page.locator(".events .fold .tally")).to_have_text(re.compile(r"^\d+ of 12 decided"))
    expect(page.locator(".events .fold .tally")).to_have_text("1 rebooted, 11 held back")
    expect(progress).to_have_count(0)
    expect(page.locator(".events .inside")).to_have_count(0)
    page.get_by_role("button", name="Storm of 12 alarms").click()
    expect(page.locator(".events .inside .verdict")).to_have_count(12)
    expect(page.locator(".events .inside .verdict[data-verdict=rebooted]")).to_have_count(1)
    assert len(where.cloud.audit.calls("RebootInstances")) == 1
