"""What an action answers where there is nothing to tell: no scaling group, no event, no agent, no data.

For stand-ins that work without a server.
"""

from collections.abc import Mapping
from typing import Any

QUIET_ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "DescribeScalingInstances": {"ScalingInstances": [], "TotalCount": 0},
    "DescribeScalingGroups": {"ScalingGroups": [], "TotalCount": 0},
    "DescribeInstanceHistoryEvents": {"InstanceSystemEventSet": {"InstanceSystemEventType": []}, "NextToken": ""},
    "DescribeCloudAssistantStatus": {"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": []}},
    "DescribeInstancesFullStatus": {"InstanceFullStatusSet": {"InstanceFullStatusType": []}, "TotalCount": 0},
    "DescribeMetricLast": {"Success": True, "Code": "200", "Datapoints": "[]"},
    "GetInstanceConsoleOutput": {"ConsoleOutput": ""},
    "GetInstanceScreenshot": {"Screenshot": ""},
    "DescribeSnapshots": {"Snapshots": {"Snapshot": []}, "NextToken": ""},
}


def quiet_answer(action: str) -> Mapping[str, Any]:
    """Return the body of an action's answer about instances of which nothing is known."""
    return QUIET_ANSWERS[action]
