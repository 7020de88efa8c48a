"""What the page shows of the cloud, as server-sent events: everything at first, then only what changed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from console import memory, switches
from console.invocations import KEPT, InvocationLog
from console.regions import regions
from console.settings_form import SettingsForm
from localcloud.account.audit import Entry, utc_text
from localcloud.account.cloud import Cloud
from localcloud.account.instances import EcsInstance

_TICK_SECONDS = 0.1
#: Ticks after which regions are counted again: entries age, and no audit entry tells of that.
_TICKS_BETWEEN_COUNTS = 5
_TICKS_OF_SILENCE = 100
#: A page that is new gets this many of the latest events sent: a storm whole.
_LATEST = KEPT


class Live:
    """The state of one cloud and its console, for any number of pages at once."""

    def __init__(self, cloud: Cloud, tables: memory.TableService, log: InvocationLog, form: SettingsForm) -> None:
        self._cloud, self._tables, self._log, self._form = cloud, tables, log, form
        self._resets = 0
        cloud.on_reset(self._count_reset)

    def everything(self) -> dict[str, Any]:
        """Return all that a page needs to begin."""
        with self._cloud.lock:
            instances = [_shown(instance) for instance in self._cloud.fleet]
        return {
            "kind": "everything",
            "account": self._cloud.account,
            "time_scale": self._cloud.clock.time_scale,
            "now": utc_text(self._cloud.clock.now()),
            "instances": instances,
            "invocations": self._log.since(0)[-_LATEST:],
            "faults": switches.state(self._cloud.faults),
            "settings": self._form.describe(),
            "standing": self.standing(),
        }

    def standing(self) -> dict[str, Any]:
        """Return what changes every decision: modes that are on, and where each region stands."""
        settings, now = self._form.settings(), self._cloud.clock.now()
        pause = settings.policy.paused
        with self._cloud.lock:
            held = memory.read(self._cloud.fleet, self._tables.instances, settings, now)
            counted = regions(self._cloud.fleet, held, settings.policy) if held else []
        return {
            "dry_run": settings.dry_run,
            "observe": settings.policy.mode == "observe",
            "paused": pause.sentence() if pause and pause.in_force(now) else "",
            "regions": counted,
        }

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield server-sent events until the page goes away; a comment now and then shows that the line is open."""
        while True:
            resets, revision, seen = self._resets, self._log.revision, len(self._cloud.audit.entries())
            first = self.everything()
            faults, settings, standing = first["faults"], first["settings"], first["standing"]
            yield _event(first)
            silent = ticks = 0
            while resets == self._resets:
                await asyncio.sleep(_TICK_SECONDS)
                ticks += 1
                changes: dict[str, Any] = {}
                entries = self._cloud.audit.entries(seen)
                seen += len(entries)
                if instances := self._touched(entries):
                    changes["instances"] = instances
                if self._log.revision != revision:
                    revision, before = self._log.revision, revision
                    changes["invocations"] = self._log.since(before)
                if (present := switches.state(self._cloud.faults)) != faults:
                    changes["faults"] = faults = present
                if (chosen := self._form.describe()) != settings:
                    changes["settings"] = settings = chosen
                if ticks % _TICKS_BETWEEN_COUNTS == 0 and (stands := self.standing()) != standing:
                    changes["standing"] = standing = stands
                silent = 0 if changes else silent + 1
                if changes:
                    yield _event({"kind": "changes", "now": utc_text(self._cloud.clock.now()), **changes})
                elif silent % _TICKS_OF_SILENCE == 0:
                    yield b": still here\n\n"

    def _touched(self, entries: Iterable[Entry]) -> list[dict[str, Any]]:
        ids: dict[str, None] = {}
        for entry in entries:
            if entry["kind"] == "state":
                ids[entry["instance_id"]] = None
            elif entry["kind"] == "api" and entry["effect"]:
                named = entry["parameters"].items()
                ids |= dict.fromkeys(value for name, value in named if name.startswith(("InstanceId.", "ResourceId.")))
        with self._cloud.lock:
            touched = [self._cloud.fleet.get(instance_id) for instance_id in ids]
        return [_shown(instance) for instance in touched if instance]

    def _count_reset(self) -> None:
        self._resets += 1


def _shown(instance: EcsInstance) -> dict[str, Any]:
    spec, state = instance.spec, instance.state
    return {
        "id": spec.instance_id,
        "region": spec.region_id,
        "name": spec.instance_name,
        "status": state.status,
        "locks": spec.operation_locks,
        "tags": dict(state.tags),
        "visible": spec.visible,
        "started": state.start_time and utc_text(state.start_time),
    }


def _event(message: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(message, separators=(",", ":")).encode() + b"\n\n"
