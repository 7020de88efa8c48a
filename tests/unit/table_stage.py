"""Runs of the function over one table and one ECS, for the tests of the ledger in the table."""

from datetime import timedelta
from typing import Any

from scripted_ecs import ONE, REGION, TWO, JumpingClock, ScriptedEcs, deadline, facts, instance, policy
from scripted_table import ScriptedTable, maintenance, store

from ecs_reboot.ledger import window_row
from ecs_reboot.policy.facts import ApprovedReboot
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.claims import Claims
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import Patience, Swept, from_ledger

PATIENCE = Patience(holds=timedelta(seconds=330), hung_after=timedelta(seconds=1200))


class Stage:
    """Runs over one table and one ECS."""

    def __init__(self, *ids: str, seconds: float = 0.0, tags: dict[str, str] | None = None, **environment: str) -> None:
        self.clock = JumpingClock()
        self.table = ScriptedTable(self.clock, seconds=seconds)
        shown = {"ecs-reboot": "enabled", **(tags or {})}
        self.ecs = ScriptedEcs(*(instance(instance_id, tags=shown) for instance_id in ids or (ONE, TWO)))
        self.environment = {"MAX_REBOOTS": "10", "LEDGER": "tablestore", "TABLESTORE_INSTANCE": "table", **environment}

    def claims(self, request: str = "r-1", run: str = "run-1", *, stack: str = "one", seconds: float = 50.0) -> Claims:
        until = deadline(seconds, self.clock)
        of_run = store(self.table, request, run, stack=stack, seconds=seconds)
        return Claims(of_run, self.ecs, self.ecs.describe, policy(**self.environment), until, request_id=request)

    def obtain(self, claims: Claims, *ids: str, dry_run: bool = False) -> tuple[list[ApprovedReboot], list[Result]]:
        wanted = [
            facts(
                self.ecs.instances[instance_id],
                environment=self.environment,
                claim=claims.claim_id(),
                now=self.clock.now(),
                claim_holds_seconds=330,
            )
            for instance_id in ids or (ONE,)
        ]
        return claims.obtain(REGION, wanted, dry_run=dry_run)

    def got(self, *ids: str, **of_run: Any) -> tuple[list[str], list[tuple[str, str]]]:
        orders, results = self.obtain(self.claims(**of_run), *ids)
        return [order.instance_id for order in orders], [(result.instance_id, result.code) for result in results]

    def state(self, instance_id: str = ONE) -> str:
        row = self.table.row(f"i#{instance_id}")
        return str(row.columns["state"]) if row else ""

    def window(self, stack: str = "one") -> window_row.Window:
        row = self.table.row(f"w#{stack}")
        return window_row.read(row.columns) if row else window_row.Window()

    def sweep(self) -> dict[str, str]:
        upkeep = maintenance(self.table)
        ends = {}
        for open_reboot in upkeep.open_reboots(REGION, ()):
            shown = Swept(self.ecs.instances[open_reboot.instance_id], PATIENCE)
            step = transition(from_ledger(open_reboot.entry), shown, self.clock.now())
            if step.code:
                ends[open_reboot.instance_id] = open_reboot.entry, step.state
        upkeep.conclude(REGION, ends)
        return {instance_id: state for instance_id, (_, state) in ends.items()}
