"""What the operator says about reading events: the part of the settings that ``triggers`` needs."""

from ecs_reboot.model import Value


class EventSettings(Value):
    """The operator's word on where events may come from and how old they may be.

    ``default_region`` stands in where an event names none; empty: such an event is rejected.
    ``webhook_token`` is the shared secret of HTTP events; empty: HTTP events are refused.
    ``max_event_age_seconds`` is compared with the event's own time; 0 switches every check of time off.
    ``instance_labels`` and ``region_labels`` are the label keys, spelled exactly, that may hold an ECS instance ID and
    its region in SLS, Alertmanager and Grafana alerts: nobody but the operator knows what they chose there.
    ``actionable_events`` are the system events, with their status, that may lead to a reboot
    (``Instance:SystemMaintenance.Reboot:Scheduled``); only those that ``event_catalog`` calls switchable have effect.
    """

    default_region: str = ""
    webhook_token: str = ""
    max_event_age_seconds: int = 1800
    instance_labels: tuple[str, ...] = ("instance_id", "instanceId", "InstanceId", "ecs_instance_id")
    region_labels: tuple[str, ...] = ("region_id", "regionId", "_aliyun_arms_region_id", "region")
    actionable_events: tuple[str, ...] = ()
