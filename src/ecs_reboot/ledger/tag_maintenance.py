"""Looking after the ledger in tags: what the sweep reads and writes, and what a person clears."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import memory as memories
from ecs_reboot.ledger.entry import OPEN, UNRESOLVED, Entry, History, State
from ecs_reboot.ledger.store import OpenReboot
from ecs_reboot.ledger.tags import TagRegister

#: Entries that one sweep removes at most: ten calls, and ten to read them again.
MOST_FORGOTTEN = 500
#: A claim younger than this may belong to a run that is still watching.
STILL_WATCHED = timedelta(seconds=60)


class TagMaintenance:
    """``store.LedgerMaintenance`` over tags."""

    def __init__(self, ecs: EcsApi, deadline: Deadline, settle_seconds: float, key: str = ledger.KEY) -> None:
        self._ecs, self._deadline, self._key = ecs, deadline, key
        self._register = TagRegister(ecs, deadline, settle_seconds, key)
        self._texts: dict[str, str] = {}
        self._regions: dict[str, dict[str, str]] = {}

    def open_reboots(self, region_id: str, instance_ids: tuple[str, ...]) -> list[OpenReboot]:
        """Return what to look at: of those named, or all of the region that nobody should still be watching."""
        now = self._deadline.clock.now()
        if instance_ids:
            texts: dict[str, str] = {}
            for batch in batches(instance_ids):
                found = retry.call_idempotent(partial(self._ecs.describe, region_id, batch), self._deadline)
                texts |= {instance.instance_id: dict(instance.tags).get(self._key, "") for instance in found}
        else:
            texts = self._regions[region_id] = self._register.read(region_id).entries
        self._texts |= texts
        opened = []
        for instance_id, text in texts.items():
            entry = ledger.read(text, now).entry
            if entry is None:
                continue
            watched = entry.state in OPEN and now - entry.at < STILL_WATCHED and not instance_ids
            if (entry.state in (*OPEN, *UNRESOLVED) or entry.untold) and not watched:
                opened.append(OpenReboot(instance_id, entry, entry.at if entry.untold else None))
        return opened

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:  # noqa: ARG002 - the protocol's
        """Hold nothing: a tag has no room for a protection."""
        return frozenset()

    def conclude(
        self, region_id: str, verdicts: Mapping[str, tuple[Entry, State]], untold: Collection[str] = ()
    ) -> frozenset[str]:
        """Write verdicts; an entry that has changed meanwhile is another run's."""
        after = {
            instance_id: str(entry.model_copy(update={"state": state, "untold": instance_id in untold}))
            for instance_id, (entry, state) in verdicts.items()
        }
        changed = self._register.change(
            region_id, after, lambda instance_id, text: after[instance_id] if text == self._texts[instance_id] else None
        )
        return frozenset(changed)

    def told(self, region_id: str, states: Mapping[str, State]) -> None:
        """Take note that a person was told of these verdicts and storms."""
        now = self._deadline.clock.now()

        def without_mark(instance_id: str, text: str) -> str | None:
            entry = ledger.read(text, now, self._key).entry if text else None
            stands = entry is not None and entry.untold and entry.state == states[instance_id]
            return str(entry.model_copy(update={"untold": False})) if entry and stands else None

        self._register.change(region_id, states, without_mark, self._deadline.for_taking_back())

    def forget(self, region_id: str) -> frozenset[str]:
        """Remove entries that no longer matter, the oldest first, of a region that ``open_reboots`` has read whole."""
        texts, now = self._regions.get(region_id, {}), self._deadline.clock.now()
        read = {instance_id: ledger.read(text, now).entry for instance_id, text in texts.items()}
        entries = {instance_id: entry for instance_id, entry in read.items() if entry}
        oldest = sorted(memories.past(entries, now), key=lambda instance_id: (entries[instance_id].at, instance_id))
        return self._register.remove(region_id, {name: texts[name] for name in oldest[:MOST_FORGOTTEN]})

    def reset(self, region_id: str, instance_ids: Sequence[str]) -> Mapping[str, str]:
        """Clear attempts. The time of the last one stays, since the region's limit counts it."""
        changed = self._register.change(region_id, instance_ids, lambda _, text: self._cleared(text) if text else None)
        return {instance_id: change.before for instance_id, change in changed.items()}

    def resume(self, region_id: str) -> Mapping[str, str]:
        """Lift storm and suspension."""
        now = self._deadline.clock.now()
        entries = {
            instance_id: ledger.read(text, now).entry
            for instance_id, text in self._register.read(region_id).entries.items()
        }
        held = {
            instance_id: entry.state
            for instance_id, entry in entries.items()
            if entry and entry.state in (*UNRESOLVED, "storm")
        }
        changed = self._register.change(region_id, held, lambda _, text: self._seen(text))
        return {instance_id: str(held[instance_id]) for instance_id in changed}

    def list(self, region_id: str) -> list[tuple[str, History]]:
        """Return all entries of a region."""
        now = self._deadline.clock.now()
        entries = sorted(self._register.read(region_id).entries.items())
        return [(instance_id, ledger.read(text, now, self._key)) for instance_id, text in entries]

    def _cleared(self, text: str) -> str:
        now = self._deadline.clock.now()
        # What can't be read blocks its own instance alone, so it takes no place in the limit once it is cleared either.
        entry = ledger.read(text, now).entry or Entry(at=now, state="void", force=False, claim="00000000")
        return str(ledger.cleared(entry))

    def _seen(self, text: str) -> str | None:
        entry = ledger.read(text, self._deadline.clock.now()).entry
        states: dict[str, State] = {"down": "seen", "hung": "seen", "storm": "refused"}
        state = states.get(entry.state) if entry else None
        return str(entry.model_copy(update={"state": state, "untold": False})) if entry and state else None
