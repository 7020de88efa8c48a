"""The table of actions: name -> parameters, and what carries it out."""

from localcloud.ecs import console_of_guest, describe, disks, guest, power, system_events, tags, zones_and_types
from localcloud.ecs.call import ActionRow

VERSION = "2014-05-26"


ACTIONS = {
    "DescribeInstances": ActionRow(describe.INSTANCES, describe.describe_instances),
    "DescribeInstanceStatus": ActionRow(describe.STATUSES, describe.describe_instance_status),
    "DescribeRegions": ActionRow(describe.ALL_REGIONS, describe.describe_regions),
    "RebootInstances": ActionRow(power.REBOOT_INSTANCES, power.batch, answers_each=True),
    "RebootInstance": ActionRow(power.REBOOT_INSTANCE, power.single, answers_each=True),
    "StartInstance": ActionRow(power.START_INSTANCE, power.single, answers_each=True),
    "StopInstance": ActionRow(power.STOP_INSTANCE, power.single, answers_each=True),
    "StartInstances": ActionRow(power.START_INSTANCES, power.batch, answers_each=True),
    "StopInstances": ActionRow(power.STOP_INSTANCES, power.batch, answers_each=True),
    "TagResources": ActionRow(tags.TAG, tags.tag_resources),
    "UntagResources": ActionRow(tags.UNTAG, tags.untag_resources),
    "ListTagResources": ActionRow(tags.LIST, tags.list_tag_resources),
    "DescribeInstanceHistoryEvents": ActionRow(system_events.HISTORY, system_events.describe_history),
    "DescribeInstancesFullStatus": ActionRow(system_events.FULL_STATUS, system_events.describe_full_status),
    "CreateSimulatedSystemEvents": ActionRow(system_events.SIMULATE, system_events.create_simulated),
    "CancelSimulatedSystemEvents": ActionRow(system_events.CANCEL, system_events.cancel_simulated),
    "DescribeCloudAssistantStatus": ActionRow(guest.ASSISTANT, guest.describe_assistant),
    "GetInstanceConsoleOutput": ActionRow(console_of_guest.OUTPUT, console_of_guest.get_output),
    "GetInstanceScreenshot": ActionRow(console_of_guest.SCREENSHOT, console_of_guest.get_screenshot),
    "DescribeUserData": ActionRow(guest.USER_DATA, guest.describe_user_data),
    "DescribeDisks": ActionRow(disks.DISKS, disks.describe_disks),
    "DescribeSnapshots": ActionRow(disks.SNAPSHOTS, disks.describe_snapshots),
    "DescribeZones": ActionRow(zones_and_types.ZONES, zones_and_types.describe_zones),
    "DescribeInstanceTypes": ActionRow(zones_and_types.INSTANCE_TYPES, zones_and_types.describe_instance_types),
}
