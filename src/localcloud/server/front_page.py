"""The page at ``GET /``: which local cloud this is, what it offers, and where its pages are."""

from collections.abc import Iterable
from html import escape

from starlette.responses import HTMLResponse, Response

from localcloud.account.cloud import Cloud

#: Service -> how its calls are recognised, as the documentation has it.
SERVICES = (
    ("ECS", "/", "2014-05-26"),
    ("SLS", "x-log-* headers", "0.6.0"),
    ("Tablestore", "x-ots-* headers", "2015-12-31"),
    ("Function Compute", "/2023-03-30/", "2023-03-30"),
    ("OSS", "OSS4-HMAC-SHA256", "path style"),
    ("ROS", "/", "2019-09-10"),
    ("STS", "/", "2015-04-01"),
    ("RAM", "/", "2015-05-01"),
    ("Resource Management", "/", "2020-03-31"),
    ("CloudMonitor", "/", "2019-01-01"),
    ("MNS", "/_world/topics/NAME", "messages to topics"),
    ("Chat services", "/_chat/SERVICE/", "DingTalk, Feishu, WeCom, Slack, a webhook"),
    ("EventBridge", "/_world/events", "CloudEvents"),
)
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
:root { color-scheme: light dark }
table { border-collapse: collapse; margin: 1rem 0 } td, th { text-align: left; padding: .15rem 1rem .15rem 0 }
code { font: 14px ui-monospace, monospace }
"""


def answer(cloud: Cloud, pages: Iterable[str]) -> Response:
    """Return the page. The key's secret is not on it: whoever started the local cloud has it."""
    return HTMLResponse(_html(cloud, sorted(pages)), headers=_HEADERS)


def _html(cloud: Cloud, pages: list[str]) -> str:
    links = "".join(f'<li><a href="/{escape(name)}/">{escape(name)}</a></li>' for name in pages)
    links += '<li><a href="/_local/instances">instances</a>, <a href="/_local/audit">audit</a>, \
<a href="/_local/faults">faults</a></li>'
    services = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(where)}</code></td><td>{escape(version)}</td></tr>"
        for name, where, version in SERVICES
    )
    secret = "the one that you gave" if cloud.credentials.chosen else _SECRET_PRINTED
    with cloud.lock:
        instances = "".join(
            f"<tr><td><code>{escape(instance.spec.instance_id)}</code></td><td>{escape(instance.spec.instance_name)}</td>"
            f"<td>{escape(instance.spec.region_id)}</td><td>{escape(instance.state.status)}</td></tr>"
            for instance in list(cloud.fleet)[:_MOST_SHOWN]
        )
        count = len(cloud.fleet)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Local cloud</title><style>{_STYLE}</style></head><body>
<h1>Local cloud</h1>
<p>A stand-in for Alibaba Cloud on this machine. Nothing here is real and nothing leaves it. Account
<code>{escape(cloud.account)}</code>, AccessKey ID <code>{escape(cloud.credentials.root.access_key_id)}</code>; its
secret is {secret}.</p>
<ul>{links}</ul>
<h2>Services</h2><table><tr><th>service</th><th>its calls</th><th>version</th></tr>{services}</table>
<h2>Fleet: {count} instances</h2>
<table><tr><th>ID</th><th>name</th><th>region</th><th>status</th></tr>{instances}</table>
</body></html>
"""


_MOST_SHOWN = 100
_SECRET_PRINTED = "in the first line that <code>serve</code> printed"
