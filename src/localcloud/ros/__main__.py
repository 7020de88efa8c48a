"""``python -m localcloud.ros [PORT]``: the local cloud that stacks can be deployed into, until interrupted."""

import json
import signal
import sys
import threading
from collections.abc import Sequence

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import default
from localcloud.ros import endpoint


def main(arguments: Sequence[str]) -> int:
    """Serve; the first line printed says where, with the account's key pair, as JSON."""
    if len(arguments) > 1 or not all(one.isascii() and one.isdigit() for one in arguments):
        sys.stderr.write("python -m localcloud.ros [PORT]\n")
        return 2
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    cloud = Cloud.from_fleet(default())
    with endpoint.running(cloud, int(arguments[0]) if arguments else 0) as whole:
        root = cloud.credentials.root
        line = {
            "endpoint": whole.url,
            "access_key_id": root.access_key_id,
            "access_key_secret": root.access_key_secret,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
