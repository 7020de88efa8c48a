"""Every spelling of a time, and nothing that only looks like one."""

from datetime import datetime, timezone

import pytest

from ecs_reboot.events.event_time import ended, parse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1508136760, "2017-10-16T06:52:40+00:00"),
        ("1508136760", "2017-10-16T06:52:40+00:00"),
        (1717213149981, "2024-06-01T03:39:09.981000+00:00"),
        ("1717213149981", "2024-06-01T03:39:09.981000+00:00"),
        (1717213149.9, "2024-06-01T03:39:09+00:00"),
        ("20190409T121826.922+0800", "2019-04-09T04:18:26.922000+00:00"),
        ("2019-04-09T04:18:26Z", "2019-04-09T04:18:26+00:00"),
        ("2022-07-22T06:34:27.9Z", "2022-07-22T06:34:27.900000+00:00"),
        ("2021-02-22T07:18:15.578000000Z", "2021-02-22T07:18:15.578000+00:00"),
        ("2019-11-11T11:00Z", "2019-11-11T11:00:00+00:00"),
        ("2020-11-19T21:04:41+08:00", "2020-11-19T13:04:41+00:00"),
        ("2020-11-19T21:04:41-03:30", "2020-11-20T00:34:41+00:00"),
        ("2020-11-19T21:04:42.179PRC", "2020-11-19T13:04:42.179000+00:00"),
    ],
)
def test_known_spellings(value: object, expected: str) -> None:
    found = parse(value)
    assert found is not None
    assert found.isoformat() == expected
    assert found.tzinfo is timezone.utc


@pytest.mark.parametrize(
    "value",
    [
        None, True, "", "null", "yesterday", "告警发生时间", 0, -1, 15081367, 150813676012, "15081367601", 10**40,
        "2020-11-19T21:04:41", "2020-11-19", "2020-13-01T00:00:00Z", "2020-11-19T25:00:00Z",
        "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-01:00",
        "\uff12\uff10\uff12\uff10-11-19T21:04:41Z", "2020-11-19T21:04:41Z\n", [], {}, 1e300,
    ],
)  # fmt: skip
def test_what_is_no_time(value: object) -> None:
    assert parse(value) is None


def test_the_year_one_is_not_an_end() -> None:
    assert parse("0001-01-01T00:00:00Z") == datetime(1, 1, 1, tzinfo=timezone.utc)
    assert not ended("0001-01-01T00:00:00Z")
    assert not ended(None)
    assert ended("2019-04-10T01:03:01Z")
