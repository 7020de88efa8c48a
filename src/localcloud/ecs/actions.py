"""The table of actions: name -> parameters, and what carries it out."""

from localcloud.ecs import console_of_guest, describe, disks, guest, power, system_events, tags, zones_and_types
from localcloud.ecs.call import Row

VERSION = "2014-05-26"


ACTIONS = {
    "DescribeInstances": Row(describe.INSTANCES, describe.describe_instances),
    "DescribeInstanceStatus": Row(describe.STATUSES, describe.describe_instance_status),
    "DescribeRegions": Row(describe.ALL_REGIONS, describe.describe_regions),
    "RebootInstances": Row(power.REBOOT_INSTANCES, power.batch, answers_each=True),
    "RebootInstance": Row(power.REBOOT_INSTANCE, power.single, answers_each=True),
    "StartInstance": Row(power.START_INSTANCE, power.single, answers_each=True),
    "StopInstance": Row(power.STOP_INSTANCE, power.single, answers_each=True),
    "StartInstances": Row(power.START_INSTANCES, power.batch, answers_each=True),
    "StopInstances": Row(power.STOP_INSTANCES, power.batch, answers_each=True),
    "TagResources": Row(tags.TAG, tags.tag_resources),
    "UntagResources": Row(tags.UNTAG, tags.untag_resources),
    "ListTagResources": Row(tags.LIST, tags.list_tag_resources),
    "DescribeInstanceHistoryEvents": Row(system_events.HISTORY, system_events.describe_history),
    "DescribeInstancesFullStatus": Row(system_events.FULL_STATUS, system_events.describe_full_status),
    "CreateSimulatedSystemEvents": Row(system_events.SIMULATE, system_events.create_simulated),
    "CancelSimulatedSystemEvents": Row(system_events.CANCEL, system_events.cancel_simulated),
    "DescribeCloudAssistantStatus": Row(guest.ASSISTANT, guest.describe_assistant),
    "GetInstanceConsoleOutput": Row(console_of_guest.OUTPUT, console_of_guest.get_output),
    "GetInstanceScreenshot": Row(console_of_guest.SCREENSHOT, console_of_guest.get_screenshot),
    "DescribeUserData": Row(guest.USER_DATA, guest.describe_user_data),
    "DescribeDisks": Row(disks.DISKS, disks.describe_disks),
    "DescribeSnapshots": Row(disks.SNAPSHOTS, disks.describe_snapshots),
    "DescribeZones": Row(zones_and_types.ZONES, zones_and_types.describe_zones),
    "DescribeInstanceTypes": Row(zones_and_types.INSTANCE_TYPES, zones_and_types.describe_instance_types),
}
