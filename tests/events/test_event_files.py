"""The events to try: each is what its name says."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.system_event_catalog import switchable

EVENTS = Path(__file__).parent.parent.parent / "events"
ONE = "i-bp1a2b3c4d5e6f7g8h9i"
TWO = "i-bp1z9y8x7w6v5u4t3s2r"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
WEB = "app=web"
EXPECTED = {
    "actiontrail-reboot-echo.json": ("actiontrail", "", "echo"),
    "alarm-firing.form.txt": ("cms_threshold", ONE, ""),
    "alarm-firing.json": ("cms_threshold", ONE, ""),
    "alarm-firing.mns.json": ("cms_threshold_mns", ONE, ""),
    "alarm-no-data.form.txt": ("cms_threshold", "", "monitor_fault"),
    "alarm-recovered.form.txt": ("cms_threshold", "", "alarm_over"),
    "alertmanager-firing.json": ("alertmanager", f"{ONE} {TWO}", ""),
    "alertmanager-mixed.json": ("alertmanager", ONE, "alarm_over"),
    "eventbridge-batch.json": ("eventbridge", ONE, "echo"),
    "eventbridge-maintenance-scheduled.json": ("eventbridge", ONE, ""),
    "eventbridge-own-source-alarm.json": ("eventbridge>cms_threshold", ONE, ""),
    "eventbridge-state-change.json": ("eventbridge", "", "echo"),
    "grafana-legacy-alerting.json": ("grafana_legacy", "", "no_event_time"),
    "grafana-unified-no-data.json": ("alertmanager", "", "monitor_fault"),
    "nightingale-firing.json": ("nightingale", ONE, ""),
    "subscription-maintenance-scheduled.json": ("cms_subscription>cms_event", ONE, ""),
    "grafana-unified-firing.json": ("alertmanager", ONE, ""),
    "http-alarm-firing.json": ("http>cms_threshold", ONE, ""),
    "http-sls-firing.json": ("http>sls", ONE, ""),
    "http-without-token.json": ("http", "", "unauthorized"),
    "manual-by-id.json": ("manual", ONE, ""),
    "manual-by-tag.json": ("manual", WEB, ""),
    "manual-dry-run.json": ("manual", f"{ONE} {TWO}", ""),
    "manual-misspelt.json": ("manual", "", "unknown_field unknown_field"),
    "manual-override.json": ("manual", ONE, ""),
    "mns-queue-alarm.json": ("mns_queue>cms_threshold_mns", ONE, ""),
    "mns-topic-alarm.json": ("mns_topic>cms_threshold_mns", ONE, ""),
    "sls-firing.json": ("sls", ONE, ""),
    "sls-mixed.json": ("sls", ONE, "alarm_over"),
    "system-event-agent-stopped.json": ("cms_event", ONE, ""),
    "system-event-failure-executing.json": ("cms_event", "", "not_actionable"),
    "system-event-maintenance-avoided.json": ("cms_event", "", "alarm_over"),
    "system-event-maintenance-scheduled.json": ("cms_event", ONE, ""),
    "timer-by-id.json": ("timer", f"{ONE} {TWO}", ""),
    "timer-by-tag.json": ("timer", WEB, ""),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_event_is_what_its_name_says(name: str) -> None:
    rules = EventSettings(webhook_token="demo-token", default_region="cn-hangzhou", actionable_events=switchable())
    reading = read((EVENTS / name).read_bytes(), rules, NOW)
    asked = [target.instance_id for request in reading.requests for target in request.targets]
    asked += ["=".join(tag) for request in reading.requests if request.selector for tag in request.selector.tags]
    codes = [event.code for event in reading.ignored] + [event.code for event in reading.rejected]
    assert (reading.trigger, " ".join(asked), " ".join(codes)) == EXPECTED[name]


def test_every_event_file_is_expected() -> None:
    assert {path.name for path in EVENTS.iterdir()} - {"README.md", "timers.yaml"} == set(EXPECTED)
