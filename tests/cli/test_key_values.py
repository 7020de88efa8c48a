"""The words of SET and PARAMS, which one reader reads."""

import pytest

from cli.program import main
from terminal.key_values import UsageError, key_values


def test_words_are_quoted_as_in_a_shell_and_a_value_may_hold_anything() -> None:
    assert key_values("SET", "A=b=c B='two words' C=") == {"A": "b=c", "B": "two words", "C": ""}


@pytest.mark.parametrize("variable", ["SET", "PARAMS"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Key", "has the word 'Key'"), ("=value", "has the word '=value'"), ("A='x", "unfinished quotation"),
        ("A=1 A=2", "gives A twice: keep one"),
    ],
)  # fmt: skip
def test_words_that_can_not_be_read_are_named_with_their_variable(variable: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"^{variable} .*{said}"):
        key_values(variable, text)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "MODE=act MODE=observe"), "SET gives MODE twice: keep one"),
        (("--deployed", "--set", "MODE=act", "--params", "ForceReboot"), "PARAMS has the word 'ForceReboot'"),
        (("--deployed", "--params", "ForceReboot"), "PARAMS has the word 'ForceReboot'"),
    ],
)
def test_a_command_names_the_variable_that_is_wrong(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invoke", "--event", "events/alarm-firing.json", *options]) == 2
    assert said in capsys.readouterr().err
