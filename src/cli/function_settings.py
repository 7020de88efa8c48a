"""The settings given with SET, checked before anything is started: a mistake is a sentence, not a run that fails."""

from cli.options import Mistake
from localcloud.commands.deployed import asked_for
from terminal.key_values import key_values

#: What the local cloud gives: without it, a setting that needs a log project would be wrong.
_GIVEN = {"LOG_PROJECT": "ecs-reboot", "FC_REGION": "cn-hangzhou"}
#: Any account: no setting's value depends on it.
_ACCOUNT = "1234567890123456"


def check(text: str, *, deployed: bool = False, parameters: str = "") -> None:
    """Check settings for this project's own function, on top of those that the template gives where it is ``deployed``.

    Raises Mistake for what the function would refuse, with all of it; UsageError for words that are no settings.
    """
    if not (given := key_values("SET", text)):
        return
    from ecs_reboot.settings.settings import SettingsError, load  # noqa: PLC0415 - dear, and most starts give no setting

    stack = asked_for(_ACCOUNT, key_values("PARAMS", parameters), deployed=True) if deployed else None
    try:
        load({**_GIVEN, **(stack.environment if stack else {}), **given})
    except SettingsError as error:
        raise Mistake("\n".join(map(str, error.mistakes))) from error
