"""Guards without which a needed reboot does not happen: each as name, module, and the edit that takes it away."""

#: See ``mutants.Mutant``.
LIVENESS_MUTANTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "a lost answer refuses others for good",
        "ledger/table_crowd",
        "entry.state in UNKNOWN_TO_ECS)",
        'entry.state in ("claimed", "finishing"))',
    ),
    (
        "what can't be read of others refuses for good",
        "ledger/table_crowd",
        "        except CloudError:\n            return Unsettled(crowd.refused)\n",
        "        except CloudError:\n            return Unsettled()\n",
    ),
    (
        "tags: something is claimed whatever time is left",
        "ledger/tag_ledger",
        "        if claims and self._deadline.left() < rest:\n",
        "        if False:\n",
    ),
    (
        "pages are read past the deadline",
        "cloud/retry",
        "        if deadline.left() <= 0:\n            raise",
        "        if False:\n            raise",
    ),
    (
        "a wait that does not fit is waited for",
        "clock",
        "        if seconds >= self.left():\n            return False\n",
        "",
    ),
    (
        "an entry of no calendar is read",
        "ledger/entry",
        "    if at.year < FIRST_YEAR:\n",
        "    if False:\n",
    ),
    (
        "a row of no calendar is read",
        "ledger/instance_row",
        "at.year < FIRST_YEAR or at > now + SKEW",
        "at > now + SKEW",
    ),
    (
        "a row of the future is fine",
        "ledger/instance_row",
        "at.year < FIRST_YEAR or at > now + SKEW",
        "at.year < FIRST_YEAR",
    ),
    (
        "a time in no calendar stops the run",
        "ledger/window_row",
        "    except OverflowError:\n",
        "    except ZeroDivisionError:\n",
    ),
    (
        "an entry that can't be read blocks its region",
        "ledger/tag_ledger",
        "instance_id: entry for instance_id, entry in read.items() if entry and entry.claim != own.get(instance_id)",
        "instance_id: entry for instance_id, entry in read.items() if entry.claim != own.get(instance_id)",
    ),
    (
        "tags: who is down stays so for good",
        "ledger/tag_maintenance",
        "            if entry.state in (*OPEN, *UNRESOLVED) and not watched:\n",
        "            if entry.state in OPEN and not watched:\n",
    ),
    (
        "table: who is down stays so for good",
        "ledger/table_maintenance",
        "            if entry.state in (*OPEN, *UNRESOLVED)\n        ]\n",
        "            if entry.state in OPEN\n        ]\n",
    ),
    (
        "two stacks share one window",
        "ledger/table_region",
        'self.window_name = f"w#{stack}"',
        'self.window_name = "w#stack"',
    ),
    (
        "attempts are never forgotten",
        "ledger/entry",
        "return tuple(times) if times and now - times[-1] < FORGOTTEN else ()",
        "return tuple(times)",
    ),
    (
        "what is open or down is removed with age",
        "ledger/memory",
        "        if entry.state not in (*OPEN, *UNRESOLVED)\n        and",
        "        if",
    ),
    (
        "what a window still counts is removed",
        "ledger/memory",
        "        and earliest - entry.at > LONGEST_WINDOW\n",
        "",
    ),
    (
        "what still is an attempt is removed",
        "ledger/memory",
        "        and not attempts(entry, earliest)\n",
        "",
    ),
    (
        "what ends a row of those down is removed",
        "ledger/memory",
        '        and not (entry.state in ("back", "seen") and down is not None and down <= entry.at)\n',
        "",
    ),
    (
        "a claim is removed with the entry before it",
        "ledger/tags",
        '            same = tuple(name for name in part if reading.entries.get(name, "") == judged[name])\n',
        "            same = part\n",
    ),
    (
        "entries are removed without a settle time",
        "ledger/tags",
        "batches(judged if self._settle_seconds else (), ledger.MOST_RESOURCES)",
        "batches(judged, ledger.MOST_RESOURCES)",
    ),
    (
        "a removal may be late",
        "ledger/tags",
        "            room = self._room(reading.began, self._deadline)\n            if same",
        "            room = self._deadline\n            if same",
    ),
)
