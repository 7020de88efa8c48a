"""A server that answers ECS and SLS calls at once and checks nothing: it must not be what is measured.

    python stub.py [FILE]: with the certificate and the key of that file, over TLS

Prints its port, then for each request one line: the action and when its answer was sent (monotonic ns).
"""

import json
import os
import socket
import ssl
import sys
import threading
import time
from urllib.parse import parse_qsl, urlsplit

INSTANCE = "i-bp1a2b3c4d5e6f7g8h9i"

_DESCRIBED = {
    "InstanceId": INSTANCE,
    "RegionId": "cn-hangzhou",
    "Status": "Running",
    "InstanceName": "web-01",
    "StartTime": "2026-01-01T00:00Z",
    "ExpiredTime": "2099-12-31T15:59Z",
    "OperationLocks": {"LockReason": []},
    "ResourceGroupId": "",
}


class Cloud:
    """One instance and its tags.

    A reboot forgets the tags beyond its own, and what a run writes after it is not kept: each run finds the same.
    """

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.rebooted = False

    def answer(self, action: str, query: dict[str, str]) -> dict[str, object]:
        """Return the body of one answer."""
        tags = {"ecs-reboot": "enabled", **self.tags}
        head: dict[str, object] = {"RequestId": "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"}
        if action == "DescribeInstances":
            self.rebooted = False
            rows = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
            described = {**_DESCRIBED, "Tags": {"Tag": rows}}
            return {**head, "TotalCount": 1, "Instances": {"Instance": [described]}}
        if action == "TagResources" and not self.rebooted:
            self.tags[query["Tag.1.Key"]] = query["Tag.1.Value"]
        if action == "RebootInstances":
            self.tags.clear()
            self.rebooted = True
            row = {
                "InstanceId": INSTANCE,
                "Code": "200",
                "Message": "success",
                "PreviousStatus": "Running",
                "CurrentStatus": "Stopping",
            }
            return {**head, "InstanceResponses": {"InstanceResponse": [row]}}
        return head


def serve(connection: socket.socket, cloud: Cloud) -> None:
    """Answer the requests of one connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            target = line.split()[1].decode()
            headers = {}
            while (field := stream.readline().strip()) != b"":
                name, _, value = field.partition(b":")
                headers[name.decode().lower()] = value.strip().decode()
            stream.read(int(headers.get("content-length", "0")))
            action = headers.get("x-acs-action", "PutLogs")
            body = json.dumps(cloud.answer(action, dict(parse_qsl(urlsplit(target).query)))).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            os.write(1, f"{action} {time.monotonic_ns()}\n".encode())  # in one piece, whichever thread it is


def main() -> None:
    """Serve until the standard input closes."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        listener = context.wrap_socket(listener, server_side=True)
    print(listener.getsockname()[1], flush=True)
    cloud = Cloud()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except ssl.SSLError:
                continue
            threading.Thread(target=serve, args=(connection, cloud), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
