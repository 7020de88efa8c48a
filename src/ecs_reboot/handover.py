"""HTTP is a door: what comes in and asks for something is handed to the function itself, and its caller is answered.

A caller over HTTP waits a few seconds (CloudMonitor five); the work may take minutes. Handed over, it has the whole
timeout of the function, and the retries, the proof and the failure queue of every other event. Nothing is handed over
twice: the second invocation does not come over HTTP.
"""

from collections.abc import Callable

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.events.parsing import UnreadableText
from ecs_reboot.model import ParsedEvent
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings

#: The calls of one reboot: facts, claim, the reboot, a look at what came of it, the claim's end. Where handing over
#: failed, the event is carried out at once only if this many calls, each as slow as the failed one, fit into the time.
CALLS_OF_A_REBOOT, FASTEST_CALL_SECONDS = 8, 0.05

InvokeLater = Callable[[bytes, Deadline], str]
"""Has the function run on an envelope later and returns the ID of that request; raises CloudError."""


class Attempt(NamedTuple):
    """What came of handing an event over: the ``request_id`` of the run that will carry it out, or why there is none.

    ``code`` is `handed_over`, or that of what went wrong; ``api_code`` is Function Compute's own; ``time_for_all``
    tells whether the event may be carried out here instead.
    """

    code: Code
    reason: str
    request_id: str = ""
    time_for_all: bool = True
    api_code: str = ""

    def result(self, trigger: str) -> Result:
        """Return it for the record."""
        return Result(
            instance_id="",
            region_id="",
            action="skip",
            code=self.code,
            reason=self.reason,
            api_code=self.api_code,
            trigger=trigger,
        )


def is_due(reading: ParsedEvent, settings: Settings) -> bool:
    """Return whether an event is to be handed over: it came over HTTP, asks for something, and is no dry run.

    For a dry run a person waits, who wants to read what would be done.
    """
    dry = settings.dry_run or (
        bool(reading.requests) and not reading.upkeep and all(request.dry_run for request in reading.requests)
    )
    return reading.over_http and bool(reading.requests or reading.upkeep) and not dry


def attempt(
    event: bytes, request_id: str, settings: Settings, invoke_later: InvokeLater, deadline: Deadline
) -> Attempt:
    """Hand an HTTP event that was let in to the function itself. Raises nothing that a call can cause."""
    from ecs_reboot.events.handover_envelope import seal  # noqa: PLC0415 - most events don't come this far

    began = deadline.clock.elapsed()
    try:
        envelope = seal(event, request_id or "unknown", deadline.clock.now(), settings.reading.webhook_token)
        later = invoke_later(envelope, deadline)
    except UnreadableText as error:
        code: Code = error.code
        why, api_code = error.reason, ""
    except CloudError as error:
        code, why = error.outcome, str(error)
        api_code = error.code if isinstance(error, Refused) else ""
    else:
        return Attempt("handed_over", f"carried out by request {later}", later)
    call = max(FASTEST_CALL_SECONDS, deadline.clock.elapsed() - began)
    needed = settings.claim_settle_seconds + CALLS_OF_A_REBOOT * call
    enough = needed <= deadline.left()
    then = "carried out at once" if enough else f"{deadline.left():.1f} s are too few to carry it out: send it again"
    return Attempt(code, f"could not be handed over ({why}); {then}", time_for_all=enough, api_code=api_code)
