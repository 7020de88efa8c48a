"""Guards over what follows after ECS accepted: each as name, module, and the edit of the source that takes it away."""

#: See ``mutants.Mutant``.
ENDING_MUTANTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "a rolling reboot does not wait",
        "policy/rolling",
        "    if made.under_way:\n",
        "    if made.under_way and not made.left:\n",
    ),
    (
        "a rolling reboot does not stop",
        "policy/rolling",
        "    if made.failed:\n",
        "    if made.failed and not made.left:\n",
    ),
    (
        "what hangs is finished at once",
        "policy/hung",
        "    if entry.state == ledger.START_DUE or facts.now - entry.at < hung_after(instance, policy):\n",
        "    if entry.state == ledger.START_DUE:\n",
    ),
    (
        "a forced reboot that hangs is finished again",
        "policy/hung",
        "        not entry.force\n        and entry.state in",
        "        entry.state in",
    ),
    (
        "what came up by itself is powered off",
        "remediation/finish",
        "            if status in IN_BETWEEN:\n",
        "            if status:\n",
    ),
    (
        "a dead claim to finish passes for an accepted reboot",
        "remediation/claims",
        '    if entry.state == "finishing":\n        return None\n',
        "",
    ),
    (
        "what ends by force is not written down before it is asked for",
        "remediation/finish",
        'or not self._committed([order], "in_doubt", "the forced reboot"):',
        "or False:",
    ),
    (
        "a live run's claim to finish is taken for a dead one",
        "policy/hung",
        "        and now - entry.at > holds\n",
        "",
    ),
    (
        "a dead claim to finish is an attempt",
        "ledger/entry",
        '    if entry.state == "finishing":\n        return True',
        '    if entry.state == "finishing":\n        return False',
    ),
    (
        "a start is not owed before the stop",
        "remediation/finish",
        "committed = self._commit({order.instance_id: state for order in orders})",
        "committed = frozenset(order.instance_id for order in orders)",
    ),
    (
        "a start that is due is not paid",
        "remediation/lifecycle",
        'return Step(reboot, "start")',
        'return Step(reboot, "wait")',
    ),
    (
        "a reset forgets that a start is due",
        "ledger/entry",
        "owes = entry.state == START_DUE or entry.protects",
        "owes = entry.protects",
    ),
    (
        "a protection is not taken back",
        "remediation/ledger_commands",
        "if entry.protects and state not in (*OPEN, *UNRESOLVED)",
        "if entry.protects and not state",
    ),
    (
        "a duty to take a protection back is not taken over",
        "remediation/claims",
        'return to_protect(facts) or (entry.protects if entry else "")',
        "return to_protect(facts)",
    ),
    (
        "what may still be protected is ended",
        "remediation/remediate",
        "for instance_id, state in of_region.items() if instance_id not in owing",
        "for instance_id, state in of_region.items()",
    ),
    (
        "what is not protected is rebooted",
        "remediation/remediate",
        "return [order for order in orders if order.instance_id not in failed], results",
        "return orders, []",
    ),
    (
        "a silent guest has recovered",
        "remediation/lifecycle",
        "    if agent.heartbeat >= start:\n",
        "    if agent.heartbeat:\n",
    ),
    (
        "a second call while an answer is awaited is not refused",
        "remediation/lifecycle",
        "    if not reboot.may_ask:\n",
        "    if False:\n",
    ),
    (
        "what an earlier call set going passes for a refusal",
        "remediation/lifecycle",
        'if row.code == "InternalError" or reboot.state == "in_doubt":',
        'if row.code == "InternalError":',
    ),
    (
        "what was about to be finished hangs before its run is over",
        "remediation/lifecycle",
        'max(patience.hung_after, patience.holds) if entry.state == "finishing" else patience.hung_after',
        "patience.hung_after",
    ),
    (
        "what nobody finished for long is not finished any more",
        "remediation/lifecycle",
        "patience.finishes and is_left_unfinished(",
        "now - entry.at < patience.hung_after and is_left_unfinished(",
    ),
)
