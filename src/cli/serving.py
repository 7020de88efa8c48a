"""``serve``: the settings are checked before anything is started, and the error about a taken port names its owner."""

from cli import exit_status, function_settings
from cli.command import CommandEnded
from cli.listener import owner
from localcloud.commands.serve import ServeOptions, main


def serve(options: ServeOptions) -> int:
    """Serve until interrupted. Raises Mistake for settings that the function would refuse, Ended for a taken port."""
    if not options.code:  # a package of another version may have other settings
        function_settings.check(options.set, deployed=options.deployed, parameters=options.params)
    if options.port and (who := owner(options.port)):
        raise CommandEnded(
            f"port {options.port} is in use by {who}: choose another with --port (PORT=)", exit_status.FAILED
        )
    return main(options)
