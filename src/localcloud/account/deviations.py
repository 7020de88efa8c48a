"""In what the real cloud may differ from what its documents say: the local cloud can be told to, one thing at a time.

Each is the opposite of an assumption that `ecs-reboot acceptance` checks on an account.
"""

from localcloud.account.declaration_errors import nearest

#: Name -> what is different then.
DEVIATIONS = {
    "agent_event_without_subject": "an agent's event names its instance neither as subject nor in its data",
    "alarm_target_messages": "CloudMonitor reaches a topic only by an ARN that ends in `/messages`",
    "async_answers_200": "an asynchronous InvokeFunction is answered with 200",
    "clock_behind": "the Date of every answer is 20 minutes behind",
    "conditions_ignored": "Tablestore writes a row whatever the condition on its columns says",
    "dry_run_operation": "a dry run that would go through ends in `DryRunOperation`",
    "event_types_with_status": "the type of a system event has its status behind it",
    "failures_lost": "what a function gives up on reaches no failure destination",
    "no_stop_in_between": "a forced stop is refused in Stopping and Starting; StopInstances' page is silent there",
    "noecho_forgotten": "values of `NoEcho` parameters do not survive `UsePreviousParameters`",
    "number_codes": "the Code of a row of RebootInstances is a number, as in the JSON sample of 2025-12",
    "ots_md5_missing": "Tablestore's answers have no `x-ots-contentmd5`",
    "ots_refusals_in_text": "Tablestore's refusals are plain text",
    "query_lost": "an HTTP trigger's event has no query",
    "reboot_in_between": "a forced reboot is taken in Stopping and Starting, which RebootInstances' page forbids",
    "request_tags_ignored": "RAM does not look at `acs:RequestTag/...`",
    "resource_tags_ignored": "RAM does not look at `acs:ResourceTag/...`",
    "roles_settle_slowly": "a new role takes a minute until it works everywhere",
    "start_time_stays": "StartTime does not move with a restart",
    "stopping_unseen": "an instance that restarts is shown as Running throughout",
    "throttled_otherwise": "a call beyond the limit of its minute is refused with `ServiceUnavailable`",
    "timers_silent": "no timer goes off",
}


def deviation(value: str) -> str:
    """Return a name that the table has. Raises ValueError."""
    if value not in DEVIATIONS:
        hint = nearest(value, tuple(DEVIATIONS)) or f"; known: {', '.join(DEVIATIONS)}"
        raise ValueError(f"{value!r} is no deviation{hint}")
    return value
