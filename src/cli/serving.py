"""``serve``: the settings are checked before anything is started, and a port that is taken is told with its owner."""

from cli import exit_status
from cli.command import Ended
from cli.listener import owner
from cli.options import Mistake


def serve(*, port: int, fleet: str, code: str, set: str, deployed: bool, params: str) -> int:  # noqa: A002
    """Serve until interrupted. Raises Mistake for settings that the function would refuse, Ended for a taken port."""
    from localcloud.__main__ import main  # noqa: PLC0415 - each command loads what it uses

    if not code:  # a package of another version may have other settings
        _check_settings(set)
    arguments = ["serve", "--port", str(port), "--fleet", fleet, "--code", code, "--set", set, "--params", params]
    if port and (who := owner(port)):
        raise Ended(f"port {port} is in use by {who}: choose another with --port (PORT=)", exit_status.FAILED)
    return main([*arguments, *(["--deployed"] if deployed else [])])


def _check_settings(text: str) -> None:
    from ecs_reboot.settings.settings import SettingsError, load  # noqa: PLC0415
    from localcloud.commands.invoke import settings_of  # noqa: PLC0415

    given = settings_of(text)
    # What the local cloud gives: without it, a setting that needs a log project would be wrong.
    try:
        load({"LOG_PROJECT": "ecs-reboot", "FC_REGION": "cn-hangzhou", **given})
    except SettingsError as error:
        raise Mistake("\n".join(map(str, error.mistakes))) from error
