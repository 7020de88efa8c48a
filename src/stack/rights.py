"""What a right can be about: the resources that RAM can name, and the conditions under which it holds."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

#: The two ledgers (setting LEDGER) and the template's conditions for them.
TAGS, TABLESTORE = "tags", "tablestore"
LEDGERS = {TAGS: "LedgerOfTags", TABLESTORE: "LedgerInTable"}


class When(NamedTuple):
    """When a setting needs a right: how docs call it, and by the function's variables."""

    words: str
    holds: Callable[[Mapping[str, str]], bool]


#: The template's condition -> when that is.
WHEN = {
    "MayForce": When("`ForceReboot` is not `never`", lambda variables: variables.get("FORCE_REBOOT") != "never"),
    "Protects": When("`Managed` is `protect`", lambda variables: variables.get("MANAGED") == "protect"),
    "Evidence": When("`Evidence` is not `off`", lambda variables: variables.get("EVIDENCE", "off") != "off"),
}

OPT_IN_KEY = "ecs-reboot"
LEDGER_KEY, OBSERVED_KEY = "ecs-reboot.ledger", "ecs-reboot.observed"

FUNCTION, PLATFORM, MESSAGES = "the function", "Function Compute", "the message service"


class Resource(NamedTuple):
    """What a right is about: its value in the template, and how docs call it."""

    value: Any
    words: str


class Condition(NamedTuple):
    """When a right counts: the document's Condition, and how docs call it."""

    value: Mapping[str, Any]
    words: str


class Permission(NamedTuple):
    """One right. ``by`` makes the ``call`` under the role; ``reason`` is what it is needed for.

    ``ledger`` names the one store (setting LEDGER) that needs it; empty for a right that both need. ``when`` names the
    condition of the template (``WHEN``) under which a setting needs it.
    """

    by: str
    call: str
    action: str
    resource: Resource
    reason: str
    condition: Condition | None = None
    effect: str = "Allow"
    ledger: str = ""
    when: str = ""


def _sub(text: str) -> dict[str, Any]:
    return {"Fn::Sub": text}


def _sub_of(text: str, own: Mapping[str, Any]) -> dict[str, Any]:
    return {"Fn::Sub": [text, own]}


def _first_digits_of_the_stack() -> dict[str, Any]:
    return {"Fn::Select": ["0", {"Fn::Split": ["-", {"Ref": "ALIYUN::StackId"}]}]}


_PROJECT = {
    "Fn::If": [
        "NewLogProject",
        _sub("${FunctionName}-${ALIYUN::AccountId}-${ALIYUN::Region}"),
        {"Ref": "ExistingLogProject"},
    ]
}


def _logstore(name: str) -> Resource:
    text = f"acs:log:${{ALIYUN::Region}}:${{ALIYUN::AccountId}}:project/${{Project}}/logstore/${{FunctionName}}-{name}"
    return Resource({"Fn::Sub": [text, {"Project": _PROJECT}]}, f"the logstore `<function>-{name}`")


INSTANCES = Resource(
    {
        "Fn::If": [
            "EveryRegion",
            _sub("acs:ecs:*:${ALIYUN::AccountId}:instance/*"),
            _sub("acs:ecs:${ALIYUN::Region}:${ALIYUN::AccountId}:instance/*"),
        ]
    },
    "all instances of the region (of every region if `EveryRegion`): which one is only known when an alarm comes",
)
#: What RAM can't narrow (``localcloud.ram.granularity``): a resource beside ``*`` would make the statement ineffective.
EVERYTHING = Resource("*", "`*`: RAM knows this action on all resources only")
SCALING_GROUPS = Resource(
    {
        "Fn::If": [
            "EveryRegion",
            _sub("acs:ess:*:${ALIYUN::AccountId}:scalinggroup/*"),
            _sub("acs:ess:${ALIYUN::Region}:${ALIYUN::AccountId}:scalinggroup/*"),
        ]
    },
    "all scaling groups of the region (of every region if `EveryRegion`)",
)
SNAPSHOTS = Resource(
    {
        "Fn::If": [
            "EveryRegion",
            _sub("acs:ecs:*:${ALIYUN::AccountId}:snapshot/*"),
            _sub("acs:ecs:${ALIYUN::Region}:${ALIYUN::AccountId}:snapshot/*"),
        ]
    },
    "all snapshots of the region (of every region if `EveryRegion`)",
)
EVIDENCE_BUCKET = Resource(
    _sub("acs:oss:*:${ALIYUN::AccountId}:${FunctionName}-${ALIYUN::AccountId}-${ALIYUN::Region}/*"),
    "what lies in the bucket of evidence",
)
RECORDS, FUNCTION_LOGS = _logstore("records"), _logstore("function")
FAILURES = Resource(
    _sub("acs:mns:${ALIYUN::Region}:${ALIYUN::AccountId}:/queues/${FunctionName}-failures/messages"),
    "the failure queue",
)
#: Tablestore wants the instance's name in lower case (Tablestore, custom RAM policy).
TABLE = Resource(
    {
        "Fn::Sub": [
            "acs:ots:${ALIYUN::Region}:${ALIYUN::AccountId}:instance/${Instance}/table/ecs_reboot",
            {
                "Instance": {
                    "Fn::If": [
                        "NamedLedger",
                        {"Ref": "LedgerInstance"},
                        _sub_of("er-${Digits}", {"Digits": _first_digits_of_the_stack()}),
                    ]
                }
            },
        ]
    },
    "the table of the ledger",
)
THE_FUNCTION = Resource(
    _sub("acs:fc:${ALIYUN::Region}:${ALIYUN::AccountId}:functions/${FunctionName}"), "the function itself"
)
ITS_QUALIFIERS = Resource(
    _sub("acs:fc:${ALIYUN::Region}:${ALIYUN::AccountId}:functions/${FunctionName}/*"),
    "the function's versions: the service asks for the function with its qualifier",
)
OPTED_IN = Condition(
    {"StringEquals": {f"acs:ResourceTag/{OPT_IN_KEY}": [{"Ref": "OptInValue"}]}},
    f"the instance has the tag `{OPT_IN_KEY}` with the opt-in value",
)


def _writes(key: str) -> Condition:
    """Return the condition of writing one tag on an instance that opted in, or that is paused by its opt-in tag."""
    opted_in = {f"acs:ResourceTag/{OPT_IN_KEY}": [{"Ref": "OptInValue"}, "paused*"]}
    words = f"the instance has the opt-in tag or is paused by it, and the request writes `{key}`"
    return Condition({"StringLike": {**opted_in, f"acs:RequestTag/{key}": ["*"]}}, words)


def removes(key: str) -> Condition:
    """Return the condition of removing one tag: from any instance, since who opts out later keeps an entry."""
    return Condition({"StringLike": {f"acs:RequestTag/{key}": ["*"]}}, f"the request names `{key}`")


MARKING, OBSERVING = _writes(LEDGER_KEY), _writes(OBSERVED_KEY)
OPTING_IN = Condition(
    {"StringLike": {f"acs:RequestTag/{OPT_IN_KEY}": ["*"]}},
    f"the request names `{OPT_IN_KEY}`, whatever else it names",
)
