"""``serve``: the settings are checked before anything is started, and a port that is taken is told with its owner."""

from cli import exit_status
from cli.command import Ended
from cli.listener import owner
from cli.options import Mistake
from ecs_reboot.settings.settings import SettingsError, load
from localcloud.commands.invoke import settings_of
from localcloud.commands.serve import Options, main


def serve(options: Options) -> int:
    """Serve until interrupted. Raises Mistake for settings that the function would refuse, Ended for a taken port."""
    if not options.code:  # a package of another version may have other settings
        _check_settings(options.set)
    if options.port and (who := owner(options.port)):
        raise Ended(f"port {options.port} is in use by {who}: choose another with --port (PORT=)", exit_status.FAILED)
    return main(options)


def _check_settings(text: str) -> None:
    given = settings_of(text)
    # What the local cloud gives: without it, a setting that needs a log project would be wrong.
    try:
        load({"LOG_PROJECT": "ecs-reboot", "FC_REGION": "cn-hangzhou", **given})
    except SettingsError as error:
        raise Mistake("\n".join(map(str, error.mistakes))) from error
