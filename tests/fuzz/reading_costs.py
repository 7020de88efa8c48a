"""What reading the largest events costs: ``make fuzz`` ends with it, ``make fuzz SECONDS=1`` is little else.

Each event of up to 1 MiB, and the largest that the fuzzer has in its working corpus, is read several times. The least
processor time counts, since other processes on the machine only ever add to it; of memory the peak of one more reading.
Ends with 1 where an event is beyond a bound. This reads the modules as they are, not as the fuzzer instruments them.
"""

import sys
import time
import tracemalloc
from pathlib import Path

from large_events import LARGE, MIB
from promises import NOW, RULES

from ecs_reboot.events import read

MOST_MILLISECONDS = 100.0
MOST_MIB = 50.0
_TIMES = 15
_FROM_THE_FUZZER = 20
_CORPUS = Path(__file__).resolve().parent.parent.parent / "build" / "fuzz" / "corpus"


def milliseconds(event: bytes) -> float:
    """Return the least processor time of several readings."""
    took = []
    for _ in range(_TIMES):
        began = time.process_time()
        read(event, RULES, NOW)
        took.append(time.process_time() - began)
    return min(took) * 1000


def mebibytes(event: bytes) -> float:
    """Return the peak of memory that one reading takes."""
    tracemalloc.start()
    read(event, RULES, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MIB


def main() -> int:
    """Print a line for each event, the dearest first, and return 1 if a bound is broken."""
    events = {name: text.encode() for name, text in LARGE.items()}
    found = sorted(_CORPUS.glob("*"), key=lambda path: path.stat().st_size)[-_FROM_THE_FUZZER:]
    events |= {f"found: {path.name[:12]}": path.read_bytes() for path in found}
    rows = sorted(((milliseconds(event), mebibytes(event), name) for name, event in events.items()), reverse=True)
    print(f"{'event':26}{'MiB':>6}{'ms':>8}{'peak MiB':>10}")
    for took, peak, name in rows:
        print(f"{name:26}{len(events[name]) / MIB:6.2f}{took:8.1f}{peak:10.1f}")
    broken = [name for took, peak, name in rows if took > MOST_MILLISECONDS or peak > MOST_MIB]
    said = f"beyond {MOST_MILLISECONDS:.0f} ms or {MOST_MIB:.0f} MiB: {', '.join(broken) or 'none'}"
    print(f"{len(rows)} events, {said}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
