"""Guards of EVIDENCE: each as name, module, and the edit of the source that takes it away."""

#: See ``mutants.Mutant``.
EVIDENCE_MUTANTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "evidence: the reboot waits for it",
        "evidence/taking",
        "        thread.join(max(0.0, until - time.monotonic()))\n",
        "        thread.join()\n",
    ),
    ("evidence: a run has no bound", "evidence/taking", "        self._instances -= len(ids)\n", ""),
    ("evidence: a minute is taken for it", "evidence/taking", "\nSECONDS = 2.0\n", "\nSECONDS = 60.0\n"),
    (
        "evidence: each batch has its own two seconds",
        "evidence/taking",
        "        self._seconds -= time.monotonic() - began\n",
        "",
    ),
    (
        "evidence: it takes what time is left",
        "evidence/taking",
        "min(self._seconds, self._deadline.left() / SHARE)",
        "min(self._seconds, self._deadline.left())",
    ),
    (
        "evidence: a mistake of ours gets out",
        "evidence/taking",
        "        with suppress(Exception):",
        "        if True:",
    ),
    ("evidence: a sleeping screen is woken", "evidence/taking", '{"WakeUp": False}', '{"WakeUp": True}'),
    (
        "evidence: pictures are taken unasked",
        "evidence/taking",
        '        if self._level == "full":\n            questions +=',
        "        if True:\n            questions +=",
    ),
    (
        "evidence: the record holds what was seen",
        "evidence/taking",
        "key=key, sha256=digest,",
        'key=key, sha256=piece.body.decode("latin-1"),',
    ),
    (
        "evidence: a dry run takes it",
        "remediation/remediate",
        "taker = None if mode.dry_run else self._evidence",
        "taker = self._evidence",
    ),
    (
        "evidence: nothing is taken before a reboot that hangs is finished",
        "remediation/remediate",
        "        exhibits = self._exhibits(orders, mode)\n        hung",
        "        exhibits: Mapping[str, tuple[Exhibit, ...]] = {}\n        hung",
    ),
)
