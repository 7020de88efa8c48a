"""The table of actions: name -> parameters, and what carries it out."""

from collections.abc import Sequence
from typing import NamedTuple

from localcloud.ecs import describe, power, tags
from localcloud.ecs.call import Action
from localcloud.ecs.parameters import Parameter

VERSION = "2014-05-26"


class Row(NamedTuple):
    """One action. ``answers_each``: whether it can answer for each instance by itself."""

    parameters: Sequence[Parameter]
    carry_out: Action
    answers_each: bool = False


ACTIONS = {
    "DescribeInstances": Row(describe.INSTANCES, describe.describe_instances),
    "DescribeInstanceStatus": Row(describe.STATUSES, describe.describe_instance_status),
    "DescribeRegions": Row(describe.ALL_REGIONS, describe.describe_regions),
    "RebootInstances": Row(power.REBOOT_INSTANCES, power.batch, answers_each=True),
    "RebootInstance": Row(power.REBOOT_INSTANCE, power.reboot_instance, answers_each=True),
    "StartInstances": Row(power.START_INSTANCES, power.batch, answers_each=True),
    "StopInstances": Row(power.STOP_INSTANCES, power.batch, answers_each=True),
    "TagResources": Row(tags.TAG, tags.tag_resources),
    "UntagResources": Row(tags.UNTAG, tags.untag_resources),
    "ListTagResources": Row(tags.LIST, tags.list_tag_resources),
}
