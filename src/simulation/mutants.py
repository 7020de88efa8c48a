"""The guards of the code, each with the edit that takes it away: `ecs-reboot mutate` shows that tests notice.

An edit is a piece of the source word for word, however long its lines are.
"""
# ruff: noqa: E501 - lines of the source

from typing import NamedTuple

from ecs_reboot.policy.guards import GUARDS
from simulation.ending_mutants import ENDING_MUTANTS
from simulation.evidence_mutants import EVIDENCE_MUTANTS
from simulation.liveness_mutants import LIVENESS_MUTANTS
from simulation.notice_mutants import NOTICE_MUTANTS
from simulation.observing_mutants import OBSERVING_MUTANTS


class Mutant(NamedTuple):
    """One edit of one module: ``old`` stands there exactly once. ``simulated``: the simulation alone must notice it."""

    name: str
    module: str
    old: str
    new: str
    simulated: bool = False


def _without_guard(code: str) -> Mutant:
    return Mutant(
        f"guard {code}",
        "policy/decide",
        "    for guard in GUARDS:\n",
        f'    for guard in (g for g in GUARDS if g.code != "{code}"):\n',
    )


_CONFIRM = "            return self._confirm(region_id, claimed, judge, count, lost)\n"
_SKIP_CONFIRM = "            return _Round(frozenset(kept), lost)\n"

MUTANTS: tuple[Mutant, ...] = (
    *(_without_guard(guard.code) for guard in GUARDS),
    *(Mutant(*mutant) for mutant in (*ENDING_MUTANTS, *EVIDENCE_MUTANTS)),
    *(Mutant(*mutant) for mutant in (*LIVENESS_MUTANTS, *NOTICE_MUTANTS, *OBSERVING_MUTANTS)),
    Mutant(
        "facts are never asked for",
        "remediation/remediate",
        "        for facts in passed(gather(self._ecs, region_id, allowed, self._deadline), results):\n",
        "        for facts in allowed:\n",
    ),
    Mutant(
        "a fact that can't be read is none",
        "policy/finding_guards",
        "        if note.source in sources:\n",
        "        if note.source in ():\n",
    ),
    Mutant(
        "a member that nobody could look up is none",
        "facts/gather",
        "            note = Unread(source=open_inquiry.source.name, error=str(error), retriable=_may_pass_later(error))\n            for instance_id in open_inquiry.ids:\n",
        "            note = Unread(source=open_inquiry.source.name, error=str(error), retriable=_may_pass_later(error))\n            for instance_id in ():\n",
    ),
    Mutant(
        "hard guards can be overridden",
        "policy/decide",
        'guard.kind == "soft" and may_override',
        "may_override",
    ),
    Mutant("anybody overrides", "policy/decide", "request.by_hand and bool(request.reason)", "True"),
    Mutant(
        "the claim is not written",
        "ledger/tag_ledger",
        "            late = self._register.claim(region_id, claims, entries, since)\n",
        "            late = frozenset[str]()\n",
    ),
    Mutant("the claim is not read again", "ledger/tag_ledger", _CONFIRM, _SKIP_CONFIRM),
    Mutant(
        "another's claim is no loss",
        "ledger/tag_ledger",
        "        for instance_id in replaced:\n",
        "        for instance_id in list[str]():\n",
    ),
    Mutant(
        "no second count",
        "ledger/tag_ledger",
        "        judged = self._judged(region_id, list(left.values()), entries, judge, count)\n        self.release",
        "        return _Round(frozenset(left), lost)\n        self.release",
    ),
    Mutant(
        "the claim is never taken back",
        "ledger/tag_ledger",
        "before[instance_id] if self._stands(instance_id, text) else None,",
        "None,",
    ),
    Mutant(
        "another's claim is taken back",
        "ledger/tag_ledger",
        "before[instance_id] if self._stands(instance_id, text) else None,",
        "before[instance_id],",
    ),
    Mutant(
        "the end is written over another's claim",
        "ledger/tag_ledger",
        "            entry = ledger.read(text, now).entry if self._stands(instance_id, text) else None\n",
        "            entry = ledger.read(self._claimed[instance_id], now).entry\n",
    ),
    Mutant("our own claim is an earlier attempt", "policy/facts", "ours=facts.claim, never", 'ours="", never'),
    Mutant(
        "marks write over anything",
        "ledger/tag_ledger",
        '    if entry.state == "storm":\n        return not entry.untold and (now - entry.at).total_seconds() >= window_seconds\n    return entry.state == "refused"\n',
        '    return entry.state != "claimed"\n',
    ),
    Mutant(
        "no settle wait",
        "ledger/tags",
        "        if self._settle_seconds and not",
        "        if not self._settle_seconds and not",
    ),
    Mutant(
        "settling needs no time",
        "ledger/tags",
        "            raise NotSent(\n",
        "            NotSent(\n",
    ),
    Mutant(
        "writes may rest on old readings", "ledger/tags", "        if not self._settle_seconds:\n", "        if True:\n"
    ),
    Mutant(
        "a changed entry is claimed all the same",
        "ledger/tags",
        'changed = {name for name in part if reading.entries.get(name, "") != judged.get(name, "")}',
        "changed = set()",
    ),
    Mutant(
        "no intent record",
        "remediation/batch",
        "                    self._log_intent(\n",
        "                    str(\n",
    ),
    Mutant(
        "facts never grow old",
        "remediation/batch",
        "        if all(order.facts.instance and now - order.facts.instance.read_at <= FACTS_AGE for order in orders):\n",
        "        if True:\n",
    ),
    Mutant(
        "down is no sign",
        "remediation/lifecycle",
        '    if after.status != "Running":\n        return f"describing',
        '    if after.status == "Never":\n        return f"describing',
    ),
    Mutant(
        "a new start is no sign",
        "remediation/lifecycle",
        "after.start_time > before.start_time)",
        "after.start_time < before.start_time)",
    ),
    Mutant(
        "a lost answer is asked again",
        "remediation/lifecycle",
        "return room and isinstance(lost, Refused) and lost.status == 503",
        "return room and lost is not None",
    ),
    Mutant(
        "doubt is forgotten",
        "remediation/lifecycle",
        'reboot._replace(state="in_doubt", may_ask=False, lost=error)',
        'reboot._replace(state="asked", may_ask=False, lost=error)',
    ),
    Mutant(
        "the first look settles a 500",
        "remediation/batch",
        "            patient = clock.elapsed() >= until\n",
        "            patient = True\n",
    ),
    Mutant(
        "a 500 is settled without a look",
        "remediation/lifecycle",
        "settled = CLAIMED if seen.instance else reboot",
        "settled = CLAIMED",
    ),
    Mutant(
        "a restart meanwhile is overlooked",
        "remediation/lifecycle",
        "    if elsewhere:\n",
        "    if not elsewhere and False:\n",
    ),
    Mutant(
        "proof needs no going down",
        "remediation/lifecycle",
        "went_down = watched.went_down or moved or after.status",
        "went_down = True or watched.went_down or moved or after.status",
    ),
    Mutant("one look proves", "remediation/lifecycle", "up_since if moved or watched.up_since else None", "up_since"),
    Mutant(
        "exhausted wears off",
        "policy/guards",
        "    if not ledger.exhausted(times, most, window):\n",
        "    if not ledger.exhausted(times, most, window) or facts.now - times[-1] > window:\n",
    ),
    Mutant(
        "attempts are not carried on",
        "ledger/entry",
        "earlier=tuple(age for time in reversed(attempts) if (age := _age(time, at)) <= OLDEST_SECONDS)[:MOST_EARLIER],",
        "earlier=(),",
    ),
    Mutant("a future entry is fine", "ledger/entry", "    if at > now + SKEW:\n", "    if at > now + 1000 * SKEW:\n"),
    Mutant(
        "the storm is for the others only",
        "policy/blast_radius",
        "            storm_at=self._memory.storm_at,\n",
        "            storm_at=None,\n",
    ),
    Mutant(
        "what is not back is forgotten", "ledger/memory", "return state in (*UNRESOLVED, START_DUE) or (", "return ("
    ),
    Mutant(
        "limits forget reset ones",
        "ledger/memory",
        'entry.state in ATTEMPTED or entry.state == "reset"',
        "entry.state in ATTEMPTED",
    ),
    Mutant(
        "a run forgets those it has just allowed",
        "policy/blast_radius",
        "        self._rebooted.add(instance_id)\n",
        "        str(instance_id)\n",
    ),
    Mutant(
        "force at the first attempt",
        "policy/decide",
        'if policy == "escalate" and (earlier := in_window(facts)):',
        'if policy == "escalate" and (earlier := in_window(facts) + 1):',
    ),
    Mutant(
        "a reboot in doubt is released",
        "remediation/remediate",
        "if not BY_CODE[result.code].keeps_claim]",
        'if not BY_CODE[result.code].keeps_claim or result.code == "accepted_unconfirmed"]',
    ),
    Mutant(
        "the sweep writes over newer claims",
        "ledger/tag_maintenance",
        "after[instance_id] if text == self._texts[instance_id] else None",
        "after[instance_id]",
    ),
    Mutant(
        "a row is replaced at any version",
        "ledger/table_rows",
        "Condition(exists=True, column=(VERSION, version)) if swap.before",
        "Condition(exists=True) if swap.before",
    ),
    Mutant(
        "a row that is there is made again",
        "ledger/table_rows",
        "else Condition(exists=False)",
        "else Condition()",
    ),
    Mutant(
        "a lost write in doubt is nobody's",
        "ledger/table_rows",
        "        if unclear := sorted(failed & doubtful):\n",
        "        if unclear := sorted(failed - failed):\n",
    ),
    Mutant(
        "whoever's write it was, it is ours",
        "ledger/table_rows",
        "                if now[name].get(WRITER) == changes[name].row.columns[WRITER]\n",
        "                if name in now\n",
    ),
    Mutant(
        "a place is not written again in each round",
        "ledger/table_ledger",
        "                if not gone and self._place(region_id, window, found, judged):\n",
        "                if not gone and (attempt > 1 or self._place(region_id, window, found, judged)):\n",
    ),
    Mutant(
        "the end of a reboot reaches its group after its window",
        "ledger/table_region",
        "        self.end_groups(region_id, entries, deadline)\n        self.change_window(region_id, ended, deadline)\n",
        "        self.change_window(region_id, ended, deadline)\n        self.end_groups(region_id, entries, deadline)\n",
    ),
    Mutant(
        "a place is freed without a fence",
        "ledger/table_maintenance",
        "            if self._rows.swap(region_id, [Swap(instance_name(slot.instance_id), row, same)]):\n",
        "            if same or row:\n",
    ),
    Mutant(
        "a place is given back whoever wrote it",
        "ledger/table_ledger",
        "                if slot.run == run and (slot.instance_id, slot.claim) in pairs\n",
        "                if slot.instance_id in dict(pairs)\n",
    ),
    Mutant(
        "a retry does not wait for the run before it",
        "ledger/table_reading",
        "                if wait > 0 or instance_id not in again:\n",
        "                if instance_id not in again:\n",
    ),
    Mutant(
        "a retry does not look first",
        "ledger/table_reading",
        "                if wait > 0 or instance_id not in again:\n",
        "                if wait > 0:\n",
    ),
    Mutant(
        "a claim is acted on however late",
        "ledger/table_ledger",
        "if elapsed >= claim.until}",
        "if elapsed < 0}",
    ),
    Mutant(
        "a refused reboot stays an attempt",
        "ledger/table_ledger",
        "plain(claim.before) or void[instance_id]",
        "plain(claim.row)",
        simulated=True,
    ),
    Mutant(
        "what the table refuses for a moment ends an alarm",
        "remediation/claims",
        'return records.of_decision(facts, "skip", "ledger_unavailable", reason, retriable=True)',
        'return records.of_decision(facts, "skip", "ledger_unavailable", reason, retriable="OTS" not in reason)',
        simulated=True,
    ),
    Mutant(
        "a write that the table had no room for is lost",
        "cloud/tablestore/outcome",
        '    "OTSCapacityUnitExhausted": "not_done",\n',
        '    "OTSCapacityUnitExhausted": "condition_failed",\n',
        simulated=True,
    ),
    Mutant(
        "HTTP callers wait for minutes",
        "invocation",
        "Deadline(clock, min(HTTP_SECONDS, self._deadline.left())), 1.2",
        "Deadline(clock, self._deadline.left()), 1.2",
        simulated=True,
    ),
    Mutant(
        "a dead claim is an attempt",
        "ledger/entry",
        "own = (entry.state in ABOUT_TO_ASK and never_asked) or (",
        "own = (",
    ),
    Mutant(
        "what a dead run holds is done with",
        "remediation/claims",
        'retriable = decision.retriable or others or (decision.code == "cooldown" and waits_for_a_run(facts))',
        "retriable = False",
    ),
    Mutant(
        "something is claimed whatever time is left",
        "ledger/table_ledger",
        "self._deadline.left() >= self._rows.slowest * CALLS_TO_COME + REST_SECONDS",
        "self._deadline.left() >= 0",
    ),
)
