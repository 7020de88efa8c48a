"""The schemas that are read from the official packages, against the packages' other description of themselves."""

import pytest
from local_deployment import ROOT

from cloud_languages.template import document, schema


@pytest.mark.parametrize("service", schema.PACKAGES)
def test_names_and_presence_agree_with_the_assembly(service: str) -> None:
    described = schema.jsii_assembly(schema.PACKAGES[service])["types"]
    types = schema.resource_types(service)
    assert types
    for name, declared in types.items():
        own = next(key for key in described if key.endswith(f".Ros{name.rpartition('::')[2]}Props"))
        # Letters' case apart: the assembly knows the names of the code, not those of the template.
        wanted = {row["name"].lower(): not row.get("optional", False) for row in described[own]["properties"]}
        assert {row.name.lower(): row.required for row in declared.properties.values()} == wanted, name


def test_every_type_of_the_template_is_known() -> None:
    template = document.load(ROOT / "template.yml")
    for made in template["Resources"].values():
        assert made["Type"] in schema.resource_types(made["Type"].split("::")[1])


def test_bounds_and_attributes_are_read() -> None:
    function = schema.resource_types("FC3")["ALIYUN::FC3::Function"]
    assert function.attributes == ("ARN", "FunctionId", "FunctionName")
    assert (function.properties["Cpu"].least, function.properties["Cpu"].most) == (0.05, 16)
    assert function.properties["Code"].shape.fields["SourceCode"].longest == 4096
    assert "REQUEST_EXCLUSIVE" in function.properties["InstanceIsolationMode"].allowed
    assert schema.resource_types("SLS")["ALIYUN::SLS::Project"].properties["Name"].pattern == "^[a-zA-Z0-9-]+$"
    assert schema.resource_types("FC3")["ALIYUN::FC3::Function"].properties["VpcConfig"].shape.fields["VSwitchIds"]


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(schema.SchemaUnavailable, match="ros_cdk_nothing"):
        schema.jsii_assembly("ros_cdk_nothing")
