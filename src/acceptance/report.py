"""The report of a run: Markdown to be attached to an issue, with secrets and IDs replaced."""

import platform
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version

from acceptance.check import Check, CheckFinding

_WORDS = {"holds": "as assumed", "differs": "**DIFFERS**", "unknown": "not learnt", "skipped": "not tried"}
#: What an ID looks like, whoever's it is -> what stands for it.
_IDS = (
    (re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"), "<request>"),
    (re.compile(r"\b(?:i|d|s|vpc|vsw|sg|asg|e|er)-[0-9a-z]{8,}\b"), "<resource>"),
    (re.compile(r"\b(?:LTAI|STS\.|TMP\.)[0-9A-Za-z]{8,}"), "<access key>"),
    (re.compile(r"\b[0-9]{16}\b"), "<account>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"), "<e-mail>"),
    (re.compile(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b"), "<address>"),
    (re.compile(r"(?i)([?&](?:token|access_token|key|signature)=)[^\s&]+"), r"\1<secret>"),
)
_CUT = 600


class Redaction:
    """Replaces the known secrets and IDs of a run, then whatever looks like one."""

    def __init__(self, known: Mapping[str, str]) -> None:
        """``known``: text -> what stands for it; empty texts count for nothing."""
        self._known = dict(sorted(known.items(), key=lambda pair: -len(pair[0])))

    def __call__(self, text: str) -> str:
        """Return a text that may be shown to anybody, on one line."""
        for known, stands_for in self._known.items():
            if known:
                text = text.replace(known, stands_for)
        for looks_like, stands_for in _IDS:
            text = looks_like.sub(stands_for, text)
        text = " ".join(text.split())
        return text if len(text) <= _CUT else text[: _CUT - 1] + "…"


def written(
    checks: Iterable[Check],
    findings: Mapping[str, CheckFinding],
    *,
    region: str,
    at: datetime,
    redacted: Redaction,
    local: bool,
) -> str:
    """Return the report. ``local``: it was the local cloud, whose answers prove nothing about the service."""
    checks = tuple(checks)
    where = f"the local cloud, standing in for {region}" if local else region
    lines = [
        "# Acceptance run of ecs-reboot",
        "",
        f"Version {version('ecs-reboot')}, Python {platform.python_version()}, on {where}, {at:%Y-%m-%d %H:%M} UTC.",
        "Secrets and IDs are replaced.",
        "",
        "| check | assumption | found | seen |",
        "|---|---|---|---|",
    ]
    for check in checks:
        found = findings.get(check.name, CheckFinding("skipped", "not run"))
        cells = (f"`{check.name}`", check.assumes, _WORDS[found.verdict], redacted(found.saw))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    if wrong := [
        check for check in checks if findings.get(check.name, CheckFinding("skipped", "")).verdict == "differs"
    ]:
        lines += ["", "## What to change", ""]
        lines += [f"- `{check.name}`: {check.if_wrong}" for check in wrong]
    return "\n".join(lines) + "\n"
