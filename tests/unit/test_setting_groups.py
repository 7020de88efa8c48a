"""The variables by what they are about: each in one group, and grouped as the form of template.yml groups them."""

from pathlib import Path

import pytest

from cloud_languages.template import document
from console import pages
from ecs_reboot.settings.groups import GROUPS
from ecs_reboot.settings.variable_table import VARIABLES

TEMPLATE = document.load(Path(__file__).parents[2] / "template.yml")


def test_each_variable_is_in_one_group() -> None:
    grouped = [variable.name for group in GROUPS for variable in group.variables()]
    assert sorted(grouped) == sorted(variable.name for variable in VARIABLES)


def test_the_form_of_the_template_has_the_same_groups() -> None:
    form = TEMPLATE["Metadata"]["ALIYUN::ROS::Interface"]["ParameterGroups"]
    group_of = {name: group["Label"]["default"] for group in form for name in group["Parameters"]}
    assert [(group.english, group.chinese) for group in GROUPS] == [
        (group["Label"]["default"]["en"], group["Label"]["default"]["zh-cn"]) for group in form
    ]
    compared = 0
    for group in GROUPS:
        for variable in group.variables():
            parameter = "".join(word.title() for word in variable.name.split("_"))
            if parameter in group_of:
                assert group_of[parameter]["en"] == group.english, variable.name
                compared += 1
    assert compared > 25


def test_choices_are_what_is_taken() -> None:
    chosen = {variable.name: variable for variable in VARIABLES if variable.choices}
    assert {"MODE", "DRY_RUN", "FORCE_REBOOT", "LEDGER"} <= chosen.keys()
    for variable in chosen.values():
        assert variable.default in variable.choices
        for choice in variable.choices:
            variable.parse(choice)
        with pytest.raises(ValueError, match="say"):
            variable.parse("none of them")


def test_each_variable_has_its_help_in_chinese() -> None:
    page = pages.page("messages.zh-CN.js")
    assert page is not None
    text = bytes(page.body).decode()
    assert [variable.name for variable in VARIABLES if f"setting_{variable.name}:" not in text] == []
