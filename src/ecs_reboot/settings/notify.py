"""Reading `NOTIFY` and `NOTIFY_SECRET`. An address is a secret: no message here repeats one."""

import re

#: A service's name -> the hosts by which its addresses are known without it.
HOSTS: dict[str, tuple[str, ...]] = {
    "dingtalk": ("oapi.dingtalk.com", "api.dingtalk.com"),
    "feishu": ("open.feishu.cn", "open.larksuite.com"),
    "wecom": ("qyapi.weixin.qq.com",),
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    "webhook": (),
}
#: Services that sign, or that take a token.
SIGNED = ("dingtalk", "feishu", "webhook")
MOST_CHANNELS = 8

_SERVICE = r"([a-z]+)=(\S*)"
#: No user and password before the host, no fragment: what could be printed as an address must hold no secret.
_URL = r"https?://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(/[!-\"$-~]*)?"

Channels = tuple[tuple[str, str, str], ...]


def parse_channels(text: str) -> Channels:
    """Return (service, address, '') of each entry. Raises ValueError, which tells an entry by its number."""
    channels = []
    for number, word in enumerate(re.split(r"[,\s]+", text.strip()) if text.strip() else (), 1):
        named = re.fullmatch(_SERVICE, word)
        service, url = (named[1], named[2]) if named else ("", word)
        match = re.fullmatch(_URL, url)
        if match is None:
            raise ValueError(f"entry {number} is no address like https://host/path (no user, password or #)")
        service = service or next((name for name, hosts in HOSTS.items() if match["host"].lower() in hosts), "")
        if service not in HOSTS:
            raise ValueError(f"entry {number}: name the service, as in webhook=https://host/path: {', '.join(HOSTS)}")
        channels.append((service, url, ""))
    if len(channels) > MOST_CHANNELS:
        raise ValueError(f"give at most {MOST_CHANNELS} addresses")
    return tuple(channels)


def parse_secrets(text: str) -> tuple[tuple[str, str], ...]:
    """Return (service, secret) of each entry, ('', secret) for one that every service that signs uses."""
    secrets = []
    for number, word in enumerate(re.split(r"[,\s]+", text.strip()) if text.strip() else (), 1):
        named = re.fullmatch(_SERVICE, word)
        service, secret = (named[1], named[2]) if named and named[1] in SIGNED else ("", word)
        if named and named[1] in HOSTS and not service:
            raise ValueError(f"entry {number}: {named[1]} signs nothing; those that do: {', '.join(SIGNED)}")
        if not secret or not secret.isprintable() or not secret.isascii():
            raise ValueError(f"entry {number}: give the secret, or service=secret")
        secrets.append((service, secret))
    if len({service for service, _ in secrets}) < len(secrets):
        raise ValueError("give one secret for a service, as in dingtalk=SECRET feishu=SECRET")
    return tuple(secrets)


def with_secrets(channels: Channels, secrets: tuple[tuple[str, str], ...]) -> Channels:
    """Put its secret to each channel whose service signs."""
    known = dict(secrets)
    return tuple(
        (service, url, known.get(service, known.get("", "")) if service in SIGNED else "")
        for service, url, _ in channels
    )
