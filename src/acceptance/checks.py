"""The table of all checks, in the order in which they run: what only reads first, the reboots last.

docs/understand/unverified.md is made from it (``listed``).
"""

from acceptance import account_checks, ledger_checks, queue_checks, reboot_checks, right_checks, trigger_checks
from acceptance.check import Check, CheckFinding, holds
from acceptance.stage import Stage


def _deployed(stage: Stage) -> CheckFinding:
    """Say that the stack stands: ``run`` has made it, and a failure of that is this check's finding."""
    return holds(f"the stack is {stage.deployed.status}")


_SIMULATES = "simulates a system event, which does nothing, and cancels it"
_TAGS = "sets and takes away the opt-in tag and the ledger's tag of the instance, and puts them back"

CHECKS: tuple[Check, ...] = (
    Check(
        "clock",
        "The services' clocks and this machine's differ by less than a minute",
        "set the clock: from 15 minutes on every request is refused",
        account_checks.clocks,
        listed=False,
    ),
    Check(
        "latency",
        "ECS answers well within the 10 s that the function waits",
        "raise EcsTimeoutSeconds",
        account_checks.latency,
        listed=False,
    ),
    Check(
        "dry-run-code",
        "A dry run that would go through ends in the error `DRYRUN.SUCCESS`",
        "nothing: the function takes `DryRunOperation` and an answer without an error as well",
        reboot_checks.dry_run,
        listed=False,
    ),
    Check(
        "deployment",
        "The template is made as it stands under the documented deployer's policy: a new role works after 15 s; the "
        "failure queue's ARN, `AllowedPattern` with a lookahead, `Fn::Sub` with a list are taken; an HTTP trigger may "
        "stand beside others; EventBridge's role is made with the trigger; Tablestore is reached from outside a VPC",
        "the failure names the resource: raise `RolesSettle`, or take the parameter out that makes the resource",
        _deployed,
        needs=("stack",),
        acts="deploys a stack of its own",
        costs="cents",
    ),
    Check(
        "alarm-topic",
        "A threshold rule reaches the topic by `acs:mns:REGION:ACCOUNT:/topics/NAME/message` (an older page ends in "
        "`/messages`), and the message service may call the function by the alarm role",
        "no alarm arrives and nothing says so: write `/messages` in `AlarmRuleTarget`; widen the alarm role",
        trigger_checks.alarm,
        needs=("stack",),
        also="CONTACT_GROUP=, a contact group of CloudMonitor; six minutes of load on the instance",
    ),
    Check(
        "system-event",
        "A trigger on the source `Default` listens on the bus `default`; types of ECS events have no status in them",
        "no event arrives: make the trigger in the console once, and change the pattern in the template",
        trigger_checks.system_event,
        needs=("stack",),
        acts=_SIMULATES,
    ),
    Check(
        "agent-event",
        "The event of a silent agent has the instance as its `subject`",
        "the record says `not_ecs` or `no_instance_id`: use a threshold rule instead",
        trigger_checks.agent_event,
        needs=("stack",),
        also="stop CloudMonitor's agent on the instance a quarter of an hour before",
    ),
    Check(
        "http-callback",
        "The HTTP trigger takes `?token=` as it is; InvokeFunction answers 202 with `x-fc-request-id`, and the "
        "asynchronous run is carried out",
        "callers get 200, 401 or 503 in place of 202: deploy without WebhookToken and send alarms to the topic",
        trigger_checks.http_callback,
        needs=("stack",),
    ),
    Check(
        "timer",
        "A timer calls the function with its payload",
        "no scheduled reboot and no sweep: look at the trigger in the console",
        trigger_checks.timer,
        needs=("stack",),
        listed=False,
    ),
    Check(
        "kept-secret",
        "Values of `NoEcho` parameters survive an update with `UsePreviousParameters`",
        "callers get 401 after an update: give `WebhookToken` and `NotifySecret` with every deployment",
        trigger_checks.kept_secret,
        needs=("stack",),
        acts="updates the stack",
    ),
    Check(
        "failure-queue",
        "What fails for good comes to the failure queue, with the event under `requestPayload`",
        "events that failed are lost: look at the role's `mns:SendMessage` and the destination's ARN in `AsyncInvoke`; "
        "where a message holds something else, read it as it is (docs/operate/runbook.md)",
        queue_checks.failure_queue,
        needs=("stack",),
        acts="gives the stack a setting that its function refuses, and takes it back; empties its failure queue",
    ),
    Check(
        "ledger-swap",
        "Tablestore checks and writes a conditional `PutRow` in one step, and a read shows the newest write",
        "two runs may hold one claim: use `Ledger=tags`",
        ledger_checks.swap,
        needs=("stack",),
        acts="writes one row of its own beside the ledger's",
        costs="cents",
    ),
    Check(
        "ledger-answers",
        "Every success of Tablestore has `x-ots-contentmd5` and `x-ots-date`; a refusal has its code in the body "
        "`Error`; an unknown table fails a whole batch",
        "code `no_answer` for each call, and outcomes in doubt: use `Ledger=tags`",
        ledger_checks.answers,
        needs=("stack",),
    ),
    Check(
        "reboot-only-opted-in",
        "RAM honours `acs:ResourceTag/…` for `ecs:RebootInstances`",
        "the guard in the function is all there is: say so in docs/understand/safety.md",
        right_checks.reboot_only_opted_in,
        needs=("role",),
        also="keys of a RAM user: an account's own may take no role",
        acts=_TAGS,
    ),
    Check(
        "tag-only-the-ledger",
        "For `ecs:TagResources` RAM honours `acs:RequestTag/…` and `acs:ResourceTag/…` together, a Deny on a request's "
        "key also when other keys are in it; for `ecs:UntagResources` it takes `TagKey` for `acs:RequestTag/…` too",
        "the function could opt instances in: use `Ledger=tablestore`, which writes no tags. Where removing its tag "
        "is refused: nothing, old entries stay",
        right_checks.tag_only_the_ledger,
        needs=("role",),
        also="as before",
        acts=_TAGS,
    ),
    Check(
        "throttling",
        "A call beyond the limit of its minute is refused with `Throttling…`, and answered in the next minute",
        "add the code to the table of outcomes; change the wait in `cloud/retry.py`",
        reboot_checks.throttling,
        acts="calls DescribeRegions until it is refused: for a minute others of the account are refused it too",
        listed=False,
    ),
    Check(
        "reboot",
        "The Code of an accepted row is the text `200`; the instance is Stopping or Starting, then Running again; "
        "StartTime moves",
        "a number is taken as well; where StartTime stays, reboots are proved by the status alone, else `unproven`",
        reboot_checks.reboot,
        acts="REBOOTS the instance",
    ),
    Check(
        "force-in-between",
        "In Stopping and Starting ECS refuses a forced reboot with `IncorrectInstanceStatus` and takes a forced stop",
        "reboot taken: nothing, the sweep asks by a dry run first; stop refused: `hung` says that ECS takes neither, "
        "and pages: the console's Force Stop, or wait for the platform",
        reboot_checks.force_while_stopping,
        acts="REBOOTS the instance, stops it by force, starts it",
    ),
)

BY_NAME = {check.name: check for check in CHECKS}
