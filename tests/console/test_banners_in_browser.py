"""What holds for every event, where each region stands, the ledger and the chat."""

import re
from datetime import datetime, timezone
from typing import Any

from console_client import WEB_01
from console_page import Open, Serve, expect, fire, row

from ecs_reboot.ledger import entry as ledger
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec
from localcloud.server.server import Running


def apply(page: Any, **values: str) -> None:
    page.get_by_role("link", name="Settings", exact=True).click()
    for name, value in values.items():
        field = page.get_by_label(name, exact=True)
        if field.evaluate("(one) => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".bar [role=status]")).to_contain_text("Applied")
    page.get_by_role("link", name="Live", exact=True).click()


def banner(page: Any, kind: str) -> Any:
    return page.locator(f".banner[data-kind='{kind}']")


def test_what_changes_everything_stands_above_all_views(where: Running, open_console: Open) -> None:
    page = open_console(where)
    expect(page.locator(".tile")).to_have_count(6)
    expect(page.locator(".banner")).to_have_count(0)
    apply(page, DRY_RUN="true", PAUSED="exams; by=ada")
    expect(banner(page, "dry_run")).to_contain_text("does none")
    expect(banner(page, "paused")).to_contain_text("exams, by ada")
    page.get_by_role("switch", name="Throttled").click()
    expect(banner(page, "faults")).to_contain_text("Throttled")
    page.get_by_role("link", name="Records", exact=True).click()
    expect(page.locator(".banner")).to_have_count(3)
    page.get_by_role("button", name="Withdraw all faults").click()
    expect(banner(page, "faults")).to_have_count(0)
    assert not where.cloud.faults.describe()
    apply(page, DRY_RUN="false", PAUSED="")
    expect(page.locator(".banner")).to_have_count(0)


def test_a_suspended_region_is_told_and_resumed_by_a_button(serve: Serve, open_console: Open) -> None:
    now = datetime.now(timezone.utc)
    down = {"ecs-reboot": "enabled", ledger.KEY: f"v1 {now:%Y-%m-%dT%H:%M:%SZ} graceful down 1a2b3c4d g=0"}
    stopped = [
        InstanceSpec(instance_id=f"i-bp1{number:017}", instance_name=f"down-{number}", status="Stopped", tags=down)
        for number in range(3)
    ]
    up = InstanceSpec(instance_id=WEB_01, instance_name="up", tags={"ecs-reboot": "enabled"})
    # Without a table the console's function remembers in tags.
    page = open_console(serve(Cloud.from_fleet(Fleet(instances=(*stopped, up), tablestore=()))))
    expect(banner(page, "suspended")).to_contain_text("its last 3 reboots left their instances down")
    expect(page.locator(".gauge")).to_contain_text("3 of at most 1 rebooted within 60 min")
    fire(page, "up")
    expect(row(page, 1).locator(".verdict")).to_have_text("skip · suspended")
    page.get_by_role("button", name="Resume cn-hangzhou").click()
    expect(row(page, 2).locator(".verdict").first).to_contain_text("resumed")
    expect(banner(page, "suspended")).to_have_count(0)


def test_a_storm_is_told_with_its_end(where: Running, open_console: Open) -> None:
    page = open_console(where, timezone_id="UTC")
    page.get_by_label("Alarms").fill("3")
    apply(page, MAX_REBOOTS="1", STORM_FACTOR="1")
    page.get_by_role("button", name="Storm", exact=True).click()
    expect(banner(page, "storm")).to_contain_text(re.compile(r"nothing more is rebooted there until \d\d:\d\d:\d\d"))
    expect(page.get_by_role("button", name="Resume cn-hangzhou")).to_be_visible()


def test_ledger_and_chat_say_what_was_done(where: Running, open_console: Open) -> None:
    page = open_console(where)
    for view, sentence in (("Ledger", "No entry yet"), ("Chat", "No notice yet")):
        page.get_by_role("link", name=view, exact=True).click()
        expect(page.locator("main .panel:visible")).to_contain_text(sentence)
    page.get_by_role("link", name="Live", exact=True).click()
    fire(page, "web-01")
    expect(row(page, 1).locator(".verdict")).to_have_text("reboot · recovered")
    page.get_by_role("link", name="Chat", exact=True).click()
    expect(page.locator(".messages li").first).to_contain_text("web-01")
    page.get_by_role("link", name="Ledger", exact=True).click()
    entry = page.locator(".ledger tbody tr")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("came back")
    page.get_by_role("button", name="Reset the attempts of web-01").click()
    expect(row(page, 2).locator(".verdict").first).to_contain_text("skip · reset")
    page.get_by_role("link", name="Ledger", exact=True).click()
    expect(entry).to_contain_text("reset")


def test_observing_is_said_above_and_a_reboot_shows_its_evidence(serve: Serve, open_console: Open) -> None:
    up = InstanceSpec(instance_id=WEB_01, instance_name="up", tags={"ecs-reboot": "enabled"}, console="Kernel panic")
    page = open_console(serve(Cloud.from_fleet(Fleet(instances=(up,)))))
    apply(page, MODE="observe", EVIDENCE="full")
    expect(banner(page, "observe")).to_contain_text("nothing is rebooted")
    fire(page, "up")
    expect(row(page, 1).locator(".verdict")).to_have_text("observed · would_reboot")
    apply(page, MODE="act")
    expect(banner(page, "observe")).to_have_count(0)
    page.get_by_role("button", name="Fire a CPU alarm at up").click()
    picture = page.get_by_alt_text("The console of up right before its reboot")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 320)
    expect(page.get_by_role("link", name="console text")).to_be_visible()
