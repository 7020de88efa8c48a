"""What TLS adds to the first call of a process, through our transport: context, handshake and all checks.

    python -I -S first_tls_call.py CODE PORT STRANGERS_PORT OTHER_NAMES_PORT

Prints, in ms: importing ssl; the first exchange; the second, on the same connection; and whether a certificate of an
unknown authority and one for another name were refused (SSL_CERT_DIR names the known ones).
"""

import sys
import time

CODE, *PORTS = sys.argv[1:5]
sys.path.insert(0, CODE)


def main() -> None:
    """Call, call again, and be refused."""
    began = time.perf_counter()
    import ssl  # noqa: F401, PLC0415 - measured by itself

    imported = time.perf_counter() - began
    from ecs_reboot.cloud.transport import Connections, NothingSent, Request  # noqa: PLC0415 - found where CODE says

    known, *wrong = (f"127.0.0.1:{port}" for port in PORTS)
    connections = Connections()
    request = Request("https", known, "GET", "/", {"host": known})
    times = [time.perf_counter()]
    for _ in range(2):
        connections.exchange(request, connect_seconds=5, answer_seconds=5)
        times.append(time.perf_counter())
    refused = 0
    for address in wrong:
        try:
            connections.exchange(request._replace(address=address), connect_seconds=5, answer_seconds=5)
        except NothingSent as error:
            refused += "certificate verify failed" in str(error).lower()
    first, second = (after - before for before, after in zip(times, times[1:]))  # noqa: B905, RUF007 - no itertools here
    print(imported * 1e3, first * 1e3, second * 1e3, int(refused == len(wrong)))


if __name__ == "__main__":
    main()
