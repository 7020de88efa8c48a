"""The promises, checked against the truth at every effect and at the end of every run (docs/understand/safety.md)."""

from collections import Counter
from datetime import datetime, timedelta, timezone

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.memory import down_in_a_row, past
from ecs_reboot.outcomes import BY_CODE, OUTCOMES
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings
from simulation.assumptions import Assumptions
from simulation.machine import Machine
from simulation.neighbours import Neighbours
from simulation.owners import Owners
from simulation.refusals import Refusals
from simulation.run import EPOCH, Run
from simulation.scheduler import Scheduler
from simulation.tag_history import TagHistory
from simulation.violation import NEVER_TWICE, Violation

#: Codes that do not deny that a reboot may have happened.
ADMITS = tuple(outcome.code for outcome in OUTCOMES if not outcome.denies_reboot)
#: Codes after which a person knows that an attempt may not have been one.
LEFT_TO_A_PERSON = ("accepted_unconfirmed", "unproven")


#: By when an HTTP call is answered, seconds: the 3.5 that the work may take, 2.5 for a claim that has to be taken back,
#: and the end of a call that is under way at either moment.
HTTP_SECONDS = 7.0
#: The retry by which, in calm weather, an alarm is decided upon.
CALM_RETRIES = 2
#: A claim so soon after a start may have led to it: start times are whole minutes, clocks differ by minutes. Seconds.
HIDING_SECONDS = 600.0
#: A moment that no entry is dated after.
FAR = datetime(9999, 1, 1, tzinfo=timezone.utc)


class InvariantChecker:
    """Knows the truth. Each check raises Violation."""

    def __init__(
        self,
        machines: dict[str, Machine],
        registers: dict[str, TagHistory],
        settings: Settings,
        assumptions: Assumptions,
        scheduler: Scheduler,
    ) -> None:
        self._machines, self._registers = machines, registers
        self._policy, self._assumptions, self._scheduler = settings.policy, assumptions, scheduler
        self._window_by_stack = settings.policy.ledger == "tablestore"
        self.codes: Counter[str] = Counter()
        self.trace: list[str] | None = None
        #: Instances whose entries could not be read at the beginning.
        self.unreadable: set[str] = set()
        #: No call fails and no run crashes.
        self.calm = False
        #: By instance, which run wrote its entry last, and what; and what another run had left there before that.
        self._written: dict[str, tuple[str, str]] = {}
        self._left_by_another: dict[str, str] = {}
        self._first_writer: dict[tuple[str, str], str] = {}
        self._written_at: dict[str, float] = {}
        #: From a claim to its reboot, plus the difference of two clocks.
        self.slack = 0.0
        self._claims: dict[tuple[str, str], float] = {}
        self._earlier_claims: dict[str, list[float]] = {}
        self._intents: set[tuple[str, str]] = set()
        self._effects: dict[tuple[str, str], float] = {}
        self._counted: list[tuple[float, str, str]] = []
        self._reset: dict[str, float] = {}
        self._seen_first: dict[str, float] = {}
        self._storms: dict[tuple[str, str], float] = {}
        self._suspended: dict[str, float] = {}
        self._opted_in: Counter[str] = Counter()
        #: What we stopped by force and have not started yet, and since when.
        self.owed: dict[str, float] = {}
        self.owners = Owners(machines, settings.policy)
        self.refusals = Refusals(machines, settings, assumptions, scheduler)
        self._neighbours = Neighbours(
            machines, settings.policy.group_tag, settings.policy.hung_after_seconds, sweeps=bool(assumptions.sweep)
        )
        self.recount()

    def note(self, who: str, what: str) -> None:
        """Add a line to the trace, where one is kept."""
        if self.trace is not None:
            self.trace.append(f"{self._scheduler.now:10.2f}  {who:8} {what}")

    def recount(self) -> None:
        """Count the opted-in instances of each region again; the most there ever were is what a share is of."""
        now = self._scheduler.now
        opted: Counter[str] = Counter()
        for machine in self._machines.values():
            opted[machine.region_id] += machine.tags_at(now).get("ecs-reboot") == "enabled"
        self._opted_in |= opted

    def place_of(self, region_id: str, stack: str) -> str:
        """Return for what limit, storm and suspension count: a table has a window for each stack, tags for all."""
        return f"{region_id} {stack}" if self._window_by_stack else region_id

    def begins(self, run: Run, region_id: str, targets: tuple[str, ...]) -> None:
        """Take note of what a run is asked for: of all instances of the region where it chooses itself."""
        everyone = (instance_id for instance_id, machine in self._machines.items() if machine.region_id == region_id)
        asked = dict.fromkeys(targets or everyone, self._scheduler.now)
        self.refusals.asked_in[self.place_of(region_id, run.stack)].update(asked)

    def rebooted_by_hand(self, instance_id: str) -> None:
        """Take note of a reboot by a person: next to a claim that led to none it looks like ours."""
        self.refusals.doubts[instance_id].append(self._scheduler.now)

    def reset(self, instance_id: str) -> None:
        """Take note that a person clears an instance's attempts."""
        self._reset[instance_id] = self._scheduler.now

    def intended(self, run: Run, instance_id: str) -> None:
        """Take note of an intent record."""
        self._intents.add((run.number, instance_id))

    def writing(self, run: Run, region_id: str, instance_id: str, value: str) -> None:
        """Check an entry that is about to be written."""
        now = self._scheduler.now
        self.note(run.number, f"writes {instance_id} {value}")
        if len(value) > ledger.MOST_CHARACTERS:
            raise Violation("an entry fits into a tag", f"{value!r} has {len(value)} characters")
        state = value.split(" ")[3].removesuffix("!")
        writer, text = self._written.get(instance_id, ("", ""))
        if writer != run.number:
            self._left_by_another[instance_id] = text
        self._first_writer.setdefault((instance_id, value), run.number)
        self._written[instance_id] = run.number, value
        self._written_at[instance_id] = now
        if run.overrides and text and text.split(" ")[3] in ledger.ABOUT_TO_ASK and writer != run.number:
            self.refusals.doubts[instance_id].append(
                now
            )  # a person claims over a run that may be about to ask: it counts
        if state in ledger.ABOUT_TO_ASK:
            self._claims[run.number, instance_id] = now
            self.refusals.claimed_in[self.place_of(region_id, run.stack)].add(instance_id)
            self._earlier_claims.setdefault(instance_id, []).append(now)
            if now - self._machines[instance_id].at(now).started < HIDING_SECONDS:
                self.refusals.doubts[instance_id].append(now)  # whether it was restarted upon this claim can't be told
        storm = self._storms.get((region_id, instance_id))
        if storm is not None and state != "storm" and (run.began < storm + 30 or run.overrides):
            del self._storms[region_id, instance_id]  # written over by a run that could not know, or by a person
        if state in ("seen", "reset"):
            self._neighbours.looked_at[instance_id] = now
        if state == "storm":
            # One that is put back, or that somebody was told of, is as old as it was.
            self._storms[region_id, instance_id] = self._seen_first.setdefault(value.replace("!", ""), now)

    def removing(self, run: Run, instance_id: str, value: str) -> None:
        """Check that an entry that is about to be removed stands for nothing that counts.

        One that has just been written does not count yet: its writer looks again once the settle time is over.
        """
        self.note(run.number, f"removes {instance_id} {value}")
        now = EPOCH + timedelta(seconds=self._scheduler.now)
        entry = ledger.read(value, FAR).entry
        young = self._scheduler.now - self._written_at.get(instance_id, -1e9) < self._assumptions.settle
        if not young and (entry is None or instance_id not in past({instance_id: entry}, now + ledger.SKEW)):
            raise Violation("only what no longer matters is removed", f"run {run.number}: {instance_id} {value}")

    def written(self, region_id: str, value: str) -> None:
        """Take note of what the region's entries now amount to."""
        state = value.split(" ")[3].removesuffix("!")
        if state not in ("down", "hung", "back", "seen", "reset"):
            return
        texts = self._registers[region_id].values.values()
        read = (ledger.read(text, FAR).entry for text in texts)
        self.ended(region_id, down_in_a_row((entry.at, entry.state) for entry in read if entry))

    def ended(self, place: str, down: int) -> None:
        """Take note of how many of the latest reboots left their instances down."""
        if self._policy.suspend_after and down >= self._policy.suspend_after:
            self._suspended.setdefault(place, self._scheduler.now)
        else:
            self._suspended.pop(place, None)

    def stormy(self, place: str, since: int) -> None:
        """Take note of whether a window says that a storm was seen; ``since`` is 0 where it does not."""
        name = f"its window {since}"
        for where, holder in list(self._storms):
            if where == place and holder != name:
                del self._storms[where, holder]
        if since:
            self._storms.setdefault((place, name), self._scheduler.now)

    def rebooting(self, run: Run, region_id: str, machine: Machine, *, force: bool) -> None:
        """Check a reboot that is about to take effect."""
        now, instance_id, policy = self._scheduler.now, machine.instance_id, self._policy
        self.note(run.number, f"REBOOTS {instance_id}{' by force' if force else ''}")
        who = f"run {run.number} reboots {instance_id} at {now:.2f} s"
        if (run.number, instance_id) not in self._claims:
            raise Violation("no reboot without a claim", who)
        if (run.number, instance_id) not in self._intents:
            raise Violation("no reboot without an intent record before it", who)
        if machine.at(now).status != "Running" and self._assumptions.mutex:
            raise Violation("only a Running instance is rebooted", f"{who}: it is {machine.at(now).status}")
        if "not_opted_in" not in run.overrides and not self._was_opted_in(machine, now):
            raise Violation("no reboot without opt-in", who)
        self._acts(who)
        self.owners.powering(machine, who, now, began=run.began)
        self._check_own(run, machine, who, force=force)
        self._check_region(run, region_id, machine, who)
        if "blast_radius" not in run.overrides:
            self._counted.append((now, self.place_of(region_id, run.stack), instance_id))
        self._effects[run.number, instance_id] = now
        if policy.force_reboot == "never" and force:
            raise Violation("force only where the policy says so", who)

    def stopping(self, run: Run, machine: Machine) -> None:
        """Check a forced stop that is about to take effect: the one attempt that finishes a reboot which hangs."""
        now, instance_id, policy = self._scheduler.now, machine.instance_id, self._policy
        self.note(run.number, f"STOPS {instance_id} by force")
        who = f"run {run.number} stops {instance_id} at {now:.2f} s"
        if (run.number, instance_id) not in self._claims:
            raise Violation("no reboot without a claim", who)
        if (run.number, instance_id) not in self._intents:
            raise Violation("no reboot without an intent record before it", who)
        if policy.force_reboot == "never":
            raise Violation("force only where the policy says so", who)
        if machine.at(now).status == "Running":
            raise Violation("only what hangs is stopped", who)
        # Upon a claim whose run could not take it back, nobody knows whether we rebooted it or a person did.
        claims = [at for at in self._earlier_claims[instance_id] if at < self._claims[run.number, instance_id]]
        if not claims or machine.was_up(now - policy.hung_after_seconds + self.slack, now):
            raise Violation("only what hangs is stopped", f"{who}; our earlier claims of it: {claims}")
        if "not_opted_in" not in run.overrides and not self._was_opted_in(machine, now):
            raise Violation("no reboot without opt-in", who)
        self._acts(who)
        self.owners.powering(machine, who, now, began=run.began)
        self._effects[run.number, instance_id] = now
        self.owed[instance_id] = now
        machine.reboots.append(now)

    def _acts(self, who: str) -> None:
        if self._policy.mode == "observe":
            raise Violation("a function that observes takes nothing down", who)

    def marking(self, run: Run, *, shadow: bool) -> None:
        """Check in which ledger something is about to be written."""
        if shadow != (self._policy.mode == "observe"):
            raise Violation("who observes and who acts have a ledger each", f"run {run.number} writes into the other")

    def starting(self, run: Run, machine: Machine) -> None:
        """Check a start that is about to take effect: only what we stopped."""
        self.note(run.number, f"STARTS {machine.instance_id}")
        if self.owed.pop(machine.instance_id, None) is None:
            raise Violation("only what we stopped is started", f"run {run.number} starts {machine.instance_id}")

    def swept(self, region_id: str) -> None:
        """Take note that a sweep of a region came to its end."""
        self._neighbours.swept[region_id] = self._scheduler.now

    def answered(self, run: Run) -> None:
        """Check when a caller over HTTP was answered."""
        if self._scheduler.now - run.began > HTTP_SECONDS:
            seconds = self._scheduler.now - run.began
            raise Violation("a caller over HTTP waits seconds, not minutes", f"run {run.number} took {seconds:.1f} s")

    def died(self, run: Run) -> None:
        """Check why a run was cut off: a machine may be gone at any moment, but no run works until it is killed."""
        if run.timed_out:
            raise Violation("a run that does not crash ends in time", f"run {run.number} began at {run.began:.2f} s")

    def undone(self, run: Run, attempt: int) -> None:
        """Check that in calm weather an alarm is decided upon by the last but one retry: three minutes and the runs."""
        if attempt >= CALM_RETRIES:
            raise Violation("in calm weather an alarm is decided upon within minutes", f"run {run.number} was undone")

    def finished(self, run: Run, results: list[Result], targets: tuple[str, ...]) -> None:
        """Check the records of a run that came to its end."""
        told = {}
        for result in results:
            self.codes[result.code] += 1
            if result.instance_id:
                told[result.instance_id] = result
        if not results:
            raise Violation("every delivery ends in a record", f"run {run.number} wrote none")
        for target in targets:
            if target not in told:
                raise Violation("every instance asked for has a record", f"run {run.number} wrote none for {target}")
        undone = any(result.retriable for result in results)  # then the whole event is sent again
        for instance_id, result in told.items():
            self._check_record(run, instance_id, result, undone=undone)

    def _check_record(self, run: Run, instance_id: str, result: Result, *, undone: bool) -> None:
        now, effect = self._scheduler.now, self._effects.get((run.number, instance_id))
        who = f"run {run.number} says {result.code} of {instance_id} ({result.reason})"
        if effect is not None and result.code not in ADMITS:
            raise Violation("a record never denies a reboot", f"{who}; it was rebooted at {effect:.2f} s")
        if effect is None:
            self._check_unasked(run, instance_id, result, who)
        if result.code in LEFT_TO_A_PERSON:
            self.refusals.doubts[instance_id].append(now)
        if not undone and instance_id in self._machines and self._policy.mode == "act":
            refused = self._machines[instance_id]
            self.refusals.final(run, refused, self.place_of(refused.region_id, run.stack), result.code, who)
        if result.code == "recovered" and result.action == "reboot":
            machine = self._machines[instance_id]
            since = effect if effect is not None else run.began - self._assumptions.staleness
            if not machine.was_down(since, now):
                raise Violation("only what was down has recovered", who)
            # A person may have rebooted it again while the run was watching others: that it came back stays true.
            came_back = machine.was_up(since, now) or (effect is None and machine.at(since).status == "Running")
            if machine.at(now).status != "Running" and not came_back:
                raise Violation("only what came back has recovered", f"{who}; it is {machine.at(now).status}")
        if result.code == "accepted" and effect is None:
            machine = self._machines[instance_id]
            request = run.number.partition(".")[0]
            ours = any(instance_id == other and number.partition(".")[0] == request for number, other in self._effects)
            if not ours and not machine.was_down(run.began - 60, now):
                raise Violation("only what was rebooted was accepted", who)

    def _check_unasked(self, run: Run, instance_id: str, result: Result, who: str) -> None:
        """Check a record of an instance that this run did not reboot."""
        outcome = BY_CODE[result.code]
        # What can't be read waits for a person, however often it is tried.
        unreadable = result.code == "ledger_unavailable" and instance_id in self.unreadable
        if outcome.retriable and not result.retriable and not unreadable:
            raise Violation("what may end otherwise later is tried again", who)
        writer, text = self._written.get(instance_id, ("", ""))
        # Else it has put back what was there.
        own = (
            writer == run.number == self._first_writer[instance_id, text] and text != self._left_by_another[instance_id]
        )
        held = own and text.split(" ")[3] in ledger.ABOUT_TO_ASK
        # In other weather taking it back may fail.
        if (self.calm or not run.troubled) and held and not outcome.keeps_claim:
            raise Violation("a claim that leads to nothing is taken back", who)

    def _check_own(self, run: Run, machine: Machine, who: str, *, force: bool) -> None:
        """Check the reboot against the instance's earlier ones."""
        now, policy, instance_id = self._scheduler.now, self._policy, machine.instance_id
        since = self._reset.get(instance_id, -1e9)
        earlier = [moment for moment in machine.reboots if moment > since]
        if earlier and "cooldown" not in run.overrides and now - earlier[-1] < policy.cooldown_seconds - self.slack:
            raise Violation(
                NEVER_TWICE,
                f"{who}, and one at {earlier[-1]:.2f} s; the cooldown is {policy.cooldown_seconds} s",
            )
        most = policy.max_attempts
        if len(earlier) >= most and "attempts_exhausted" not in run.overrides:
            spread = earlier[-1] - earlier[-most]
            if spread <= policy.attempt_window_seconds - self.slack - 660:  # ages are kept in whole minutes
                raise Violation("no more attempts than allowed", f"{who} after {len(earlier)} attempts")
        if policy.force_reboot == "escalate" and force and run.forced is None:
            window = policy.attempt_window_seconds + self.slack + 660
            claims = [at for at in self._earlier_claims.get(instance_id, []) if now - at < window]
            if len(claims) < 2 and not machine.reboots:  # noqa: PLR2004 - its own and an earlier one
                raise Violation("force only after a graceful attempt", who)

    def _check_region(self, run: Run, region_id: str, machine: Machine, who: str) -> None:
        """Check the reboot against the region's others."""
        now, policy, instance_id = self._scheduler.now, self._policy, machine.instance_id
        window, place = policy.max_reboots_window_seconds, self.place_of(region_id, run.stack)
        if policy.max_reboots and "blast_radius" not in run.overrides:
            limit = policy.max_reboots.of(self._opted_in[region_id])
            others = {
                other
                for at, where, other in self._counted
                if where == place and other != instance_id and now - at < window - self.slack
            }
            if len(others) >= limit:
                raise Violation(
                    "never more than the limit in a window", f"{who}, after {sorted(others)}; the limit is {limit}"
                )
        if policy.group_tag and "blast_radius" not in run.overrides:
            self._neighbours.group(machine, who, now)
        reach = run.began - 10 - self._assumptions.staleness
        if run.rolling:
            self._neighbours.campaign(machine, who, now, reach)
        if place in self._suspended and self._suspended[place] < reach and "suspended" not in run.overrides:
            raise Violation("a suspended region is left alone", who)
        for (where, holder), at in self._storms.items():
            if where == place and at < reach and now < at + window - self.slack and policy.storm_factor:
                raise Violation("nothing new in a storm", f"{who}; the storm was seen at {at:.2f} s on {holder}")

    def _was_opted_in(self, machine: Machine, now: float) -> bool:
        slack = 7 + self._assumptions.staleness + self._assumptions.request
        moments = [now, now - slack] + [since for since, _ in machine.tags if now - slack <= since <= now]
        return any(machine.tags_at(moment).get("ecs-reboot") == "enabled" for moment in moments)
