"""Guards over notices: each as name, module, and the edit of the source that takes it away."""

#: See ``mutants.Mutant``.
NOTICE_MUTANTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "notice: a mistake in one reaches the work",
        "records/notices/delivery",
        "    except Exception as error:  # noqa: BLE001 - no mistake in a notice may reach the work beside it\n",
        "    except ZeroDivisionError as error:\n",
    ),
    (
        "notice: the run waits for as long as a chat service takes",
        "records/notices/delivery",
        "            thread.join(max(0.0, until - time.monotonic()))\n",
        "            thread.join()\n",
    ),
    (
        "notice: what was told is on record when the run ends",
        "records/record_log",
        """self._unshipped.append(self._print(result, "notice"))

    def notices(self) -> list[dict[str, Any]]:
        \"\"\"Take the records of notices that nobody has taken yet.\"\"\"
        return [self._unshipped.pop(0) for""",
        """self._unshipped.append({"": result})

    def notices(self) -> list[dict[str, Any]]:
        return [self._print(self._unshipped.pop(0)[""], "notice") for""",
    ),
    (
        "notice: the same trouble is reported each time",
        "records/notices/composition",
        " not in known:\n",
        " not in ():\n",
    ),
    (
        "notice: no limit a minute",
        "records/notices/outbox",
        "        admitted = len(sent) < MOST_A_MINUTE\n",
        "        admitted = True\n",
    ),
    (
        "notice: what a service quotes of our secrets is kept",
        "records/notices/delivery",
        "failure._replace(code=redacted(failure.code, channel), reason=redacted(failure.reason, channel))",
        "failure",
    ),
    (
        "notice: the start waits for the memory",
        "records/notices/delivery",
        "        thread.start()\n",
        "        thread.start()\n        thread.join()\n",
    ),
    (
        "notice: what died on its way is sent by nobody",
        "records/notices/outbox",
        "        wait = lease if admitted else MINUTE\n",
        "        wait = LATE_SECONDS if admitted else MINUTE\n",
    ),
    (
        "notice: two sweeps at once tell it twice",
        "records/notices/outbox",
        "        wait = lease if admitted else MINUTE\n",
        "        wait = 0.0 if admitted else MINUTE\n",
    ),
    (
        "notice: what other instances reported is reported again",
        "records/notices/table_memory",
        "            before = outbox_row.read(row)\n",
        "            before = outbox_row.read({})\n",
    ),
    (
        "notice: what this instance remembers alone is never handed in",
        "records/notices/table_memory",
        "before.merged(own)",
        "before",
    ),
    (
        "notice: nobody is told while the table does not answer",
        "records/notices/table_memory",
        "        except CloudError:\n            return",
        "        except ZeroDivisionError:\n            return",
    ),
)
