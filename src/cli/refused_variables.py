"""What to say of variables that the targets of the Makefile do not take, and where what they say belongs.

The Makefile runs this file by itself, before there is an environment: it needs nothing but Python.
"""

import difflib
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yml"
_EXAMPLE = ("DryRun", "true")


def parameters(template: str) -> Mapping[str, bool]:
    """Return the parameters of a template's text, and whether each may be shown; a secret may not."""
    block = template.partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    found = re.findall(r"^  (\w+):\n((?:    .*\n|\n)*)", block, re.MULTILINE)
    return {name: "NoEcho: true" not in body for name, body in found}


def sentence(name: str, value: str, goals: str, taken: Sequence[str], shown: Mapping[str, bool]) -> str:
    """Say that the goals do not take the variable, and what to give in its place.

    ``taken`` is the table of the Makefile, as ``target:VARIABLE``; ``shown`` comes from ``parameters``.
    """
    targets = goals.split()
    here = [pair.partition(":")[2] for pair in taken if pair.partition(":")[0] in targets and not pair.endswith(":")]
    here = list(dict.fromkeys(here))
    whose = " and ".join(targets) or "this Makefile"
    if advice := _advice(name, value, here, taken, shown):
        return f"{name} is not a variable of {whose}{advice}"
    if not targets:
        return f"{name} is not a variable of {whose}. `make help` has those of each target."
    takes = "take" if len(targets) > 1 else "takes"
    return f"{name} is not a variable of {whose}. {whose} {takes} {', '.join(here) or 'none'}."


def _advice(name: str, value: str, here: list[str], taken: Sequence[str], shown: Mapping[str, bool]) -> str:
    """Return what was meant, where that can be told; else ''."""
    given = list(_settings(name, value, shown))
    if given or name in ("SET", "PARAMS"):
        if "SET" in here:
            told = " ".join(f"{_setting(key)}={text}" for key, text in given or [_EXAMPLE])
            return f'. The function\'s settings go into SET, such as SET="{told}".'
        if "PARAMS" in here:
            told = " ".join(f"{key}={text}" for key, text in given or [_EXAMPLE])
            return f'. A stack\'s settings go into PARAMS, such as PARAMS="{told}".'
    known = {pair.partition(":")[2] for pair in taken}
    near = [] if name in known else difflib.get_close_matches(name.upper(), here or sorted(known), 1)
    return f": did you mean {near[0]}?" if near else ""


def _settings(name: str, value: str, shown: Mapping[str, bool]) -> Iterator[tuple[str, str]]:
    """Yield the parameters of the template that are meant, with their values in quotes where these need them."""
    try:
        words = shlex.split(value) if name in ("SET", "PARAMS") else [f"{name}={value}"]
    except ValueError:
        return
    of_setting = {_setting(parameter): parameter for parameter in shown}
    for word in words:
        key, _, text = word.partition("=")
        parameter = key if key in shown else of_setting.get(key.upper(), "")
        if parameter:
            yield parameter, shlex.quote(text) if shown[parameter] else "..."


def _setting(parameter: str) -> str:
    """Return the name of the setting that a parameter gives: DRY_RUN of DryRun."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def main(goals: str, taken: str, *given: str) -> None:
    """Print what is wrong with each of the variables, given as ``NAME=value``."""
    shown = parameters(TEMPLATE.read_text("utf-8"))
    pairs = (word.partition("=") for word in given)
    sys.stdout.write(" ".join(sentence(name, value, goals, taken.split(), shown) for name, _, value in pairs))


if __name__ == "__main__":
    main(*sys.argv[1:])
