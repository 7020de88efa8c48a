"""What each service takes as a name: one row for each kind of resource, with the page that says so.

The local cloud refuses by this table what the services refuse, and the checks of a template tell it before.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple


class NameRule(NamedTuple):
    """What a name may be. ``key``: the property that holds it. ``form`` says the pattern in words.

    ``forbidden``: what must not stand anywhere in it, whatever the case. ``code``: how the service refuses; where no
    page gives one, that of a wrong argument. ``source``: where the rule is from.
    """

    key: str
    pattern: str
    form: str
    code: str
    source: str
    forbidden: tuple[str, ...] = ()

    def mistake(self, name: str) -> str:
        """Return what is wrong with a name; empty if nothing is."""
        if not re.fullmatch(self.pattern, name, re.ASCII):
            return f"give {self.form}"
        found = [word for word in self.forbidden if word in name.lower()]
        return f"it must not have {', '.join(found)} in it" if found else ""


STACK = "ALIYUN::ROS::Stack"
TABLE_INSTANCE = "ALIYUN::OTS::InstanceV2"
TABLE = "ALIYUN::OTS::Table"
BUCKET = "ALIYUN::OSS::Bucket"
ROLE = "ALIYUN::RAM::Role"
LOGSTORE = "ALIYUN::SLS::Logstore"

_QUEUES = "1 to 120 letters, digits and -, not starting with -"

RULES: Mapping[str, NameRule] = {
    STACK: NameRule(
        "StackName",
        r"[A-Za-z][A-Za-z0-9_-]{0,254}",
        "1 to 255 letters, digits, - and _, starting with a letter",
        "StackValidationFailed",
        "ROS, CreateStack; SDK ros20190910 3.7.0",
    ),
    "ALIYUN::FC3::Function": NameRule(
        "FunctionName",
        r"[A-Za-z_][A-Za-z0-9_-]{0,63}",
        "1 to 64 letters, digits, _ and -, not starting with a digit or -",
        "InvalidArgument",
        "Function Compute, CreateFunction; SDK fc20230330 4.8.3",
    ),
    "ALIYUN::FC3::Trigger": NameRule(
        "TriggerName",
        r"[A-Za-z_][A-Za-z0-9_-]{0,127}",
        "1 to 128 letters, digits, _ and -, not starting with a digit or -",
        "InvalidArgument",
        "Function Compute, CreateTrigger; ROS, ALIYUN::FC3::Trigger (2026-06-27)",
    ),
    "ALIYUN::MNS::Queue": NameRule(
        "QueueName", r"[A-Za-z0-9][A-Za-z0-9-]{0,119}", _QUEUES, "InvalidQueueName", "SMQ, CreateQueue and Limits"
    ),
    "ALIYUN::MNS::Topic": NameRule(
        "TopicName", r"[A-Za-z0-9][A-Za-z0-9-]{0,119}", _QUEUES, "InvalidTopicName", "SMQ, CreateTopic and Limits"
    ),
    BUCKET: NameRule(
        "BucketName",
        r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "3 to 63 lower-case letters, digits and -, - not at the ends",
        "InvalidBucketName",
        "OSS, PutBucket, naming",
    ),
    TABLE_INSTANCE: NameRule(
        "InstanceName",
        r"[A-Za-z][A-Za-z0-9-]{1,14}[A-Za-z0-9]",
        "3 to 16 letters, digits and -, first a letter, last no -",
        "OTSParameterInvalid",
        "Tablestore, naming; ROS, ALIYUN::OTS::InstanceV2",
        ("ali", "ay", "ots", "taobao", "admin"),
    ),
    TABLE: NameRule(
        "TableName",
        r"[A-Za-z_][A-Za-z0-9_]{0,254}",
        "1 to 255 letters, digits and _, not starting with a digit",
        "OTSParameterInvalid",
        "Tablestore, naming",
    ),
    ROLE: NameRule(
        "RoleName",
        r"[A-Za-z0-9.-]{1,64}",
        "1 to 64 letters, digits, . and -",
        "InvalidParameter.RoleName",
        "Resource Management, CreateRole",
    ),
    "ALIYUN::SLS::Project": NameRule(
        "Name",
        r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "3 to 63 lower-case letters, digits and -, - not at the ends",
        "ParameterInvalid",
        "SLS, CreateProject; SDK sls20201230 5.15.1",
    ),
    LOGSTORE: NameRule(
        "LogstoreName",
        r"[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]",
        "2 to 63 lower-case letters, digits, - and _, these not at the ends",
        "ParameterInvalid",
        "SLS, CreateLogStore; SDK sls20201230 5.15.1",
    ),
}
