"""Guards of MODE=observe: each as name, module, and the edit of the source that takes it away."""

#: See ``mutants.Mutant``.
OBSERVING_MUTANTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "observing: ECS is asked",
        "remediation/remediate",
        'if self._policy.mode == "observe" and not mode.dry_run:\n',
        "if False:\n",
    ),
    ("observing: the second lock is open", "ledger/observing_ecs", "        if not dry_run:\n", "        if False:\n"),
    (
        "observing: a change of a scaling group passes the second lock",
        "ledger/observing_ecs",
        "        if changes:\n",
        "        if False:\n",
    ),
    (
        "observing: a claim owes a protection",
        "remediation/claims",
        '    if facts.policy.mode == "observe":\n        return ""',
        '    if False:\n        return ""',
    ),
    (
        "observing: the shadow is the ledger itself",
        "remediation/chosen_ledger",
        'OBSERVED if settings.policy.mode == "observe" else ACTING',
        "ACTING",
    ),
    (
        "observing: the rows of the shadow are those of the ledger",
        "ledger/table_rows",
        "self._before_region + region_id",
        "region_id",
    ),
    (
        "observing: a machine is waited for",
        "remediation/lifecycle",
        "    if seen.patience.observing:\n",
        "    if False:\n",
    ),
    (
        "observing: a claim that nobody acted on is no attempt",
        "policy/facts",
        '    acts = facts.policy.mode == "act"\n',
        "    acts = True\n",
    ),
)
