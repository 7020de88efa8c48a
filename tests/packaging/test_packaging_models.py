"""The package's pydantic and the real one: same values, same errors, same JSON, for every model there is."""

import importlib
import sys
import types
import typing
from copy import copy
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError, computed_field, field_validator

from bundle import BuildError, schemas

REAL = schemas.models_of("ecs_reboot")
EACH = pytest.mark.parametrize("name", [name for name, cls in REAL.items() if cls.model_fields])
#: For each of some forty models; `make properties` draws ten times as many.
FEW = examples(8)

_ZONES: st.SearchStrategy[Any] = st.sampled_from(
    [timezone.utc, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30)), None]
)
_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.fixture(scope="module")
def small(package: Path) -> dict[str, Any]:
    """The same models over the package's pydantic, imported from the package beside the real ones."""
    ours = ("ecs_reboot", "pydantic")
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ours}
    for name in kept:
        del sys.modules[name]
    sys.path.insert(0, str(package))
    try:
        for name in sorted({name.rpartition(".")[0] for name in REAL}):
            importlib.import_module(name)
        runtime = sys.modules["pydantic"]
        assert Path(str(runtime.__file__)).parent == package
        models = dict(runtime.MODELS)
    finally:
        sys.path.remove(str(package))
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            del sys.modules[name]
        sys.modules.update(kept)
    return models


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Generate what a caller may pass for a field: nested models as dicts of their fields."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values(model) for model in inner])
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is tuple and inner[1:] == (Ellipsis,):
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, inner))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return fields_of(annotation)
    return {
        str: _TEXT,
        int: st.integers(-(10**9), 10**9),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False, width=32),
        type(None): st.none(),
        date: st.dates(),
        datetime: st.datetimes(timezones=_ZONES, min_value=datetime(1971, 1, 1), max_value=datetime(2999, 1, 1)),  # noqa: DTZ001 - Hypothesis adds the zone
    }[annotation]


def fields_of(cls: Any) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: values(field.annotation) for name, field in cls.model_fields.items() if field.is_required()}
    optional = {name: values(field.annotation) for name, field in cls.model_fields.items() if not field.is_required()}
    return st.fixed_dictionaries(required, optional=optional)


def described(model: Any) -> str:
    """Give a model's text; some write their own, which has none for what no parser lets through."""
    try:
        return str(model)
    except IndexError as error:
        return repr(error)


def failure(cls: Any, data: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as raised:
        cls(**data)
    return str(raised.value)


@EACH
@FEW
@given(data=st.data())
def test_values_are_the_same(small: dict[str, Any], name: str, data: st.DataObject) -> None:
    given_fields = data.draw(fields_of(REAL[name]))
    real, ours = REAL[name](**given_fields), small[name](**given_fields)
    assert repr(ours) == repr(real)
    assert described(ours) == described(real)
    assert ours.model_dump(mode="json") == real.model_dump(mode="json")
    assert ours == small[name](**given_fields)
    assert ours is not copy(ours) == ours
    assert hash(ours) == hash(small[name](**given_fields))
    assert ours.__pydantic_fields_set__ == real.__pydantic_fields_set__
    again = small[name].model_validate_json(real.model_dump_json())
    assert repr(again) == repr(REAL[name].model_validate_json(real.model_dump_json()))


@EACH
@FEW
@given(data=st.data())
def test_what_is_left_out_of_the_json_is_the_same(small: dict[str, Any], name: str, data: st.DataObject) -> None:
    given_fields = data.draw(fields_of(REAL[name]))
    real, ours = REAL[name](**given_fields), small[name](**given_fields)
    out = data.draw(st.sets(st.sampled_from([*REAL[name].model_fields])))
    assert ours.model_dump(mode="json", exclude=out) == real.model_dump(mode="json", exclude=out)
    nested = {
        field: set(list(type(value).model_fields)[:2])
        for field in REAL[name].model_fields
        if isinstance(value := getattr(real, field), BaseModel)
    }
    assert ours.model_dump(mode="json", exclude=nested) == real.model_dump(mode="json", exclude=nested)


@EACH
@FEW
@given(data=st.data())
def test_copies_are_the_same(small: dict[str, Any], name: str, data: st.DataObject) -> None:
    first, second = data.draw(fields_of(REAL[name])), data.draw(fields_of(REAL[name]))
    plain = {key: value for key, value in second.items() if not isinstance(value, dict | tuple)}
    real, ours = REAL[name](**first), small[name](**first)
    assert repr(ours.model_copy(update=plain)) == repr(real.model_copy(update=plain))
    assert repr(ours) == repr(real)
    assert (ours == ours.model_copy(update=plain)) == (real == real.model_copy(update=plain))


@EACH
@FEW
@given(data=st.data())
def test_errors_are_the_same(small: dict[str, Any], name: str, data: st.DataObject) -> None:
    wrong = data.draw(fields_of(REAL[name]))
    kind = data.draw(st.sampled_from(["extra", "type", "missing"]))
    field = data.draw(st.sampled_from([*REAL[name].model_fields]))
    if kind == "extra":
        wrong["not_a_field"] = 1
    elif kind == "type":
        wrong[field] = object
    elif REAL[name].model_fields[field].is_required():
        del wrong[field]
    else:
        wrong[field] = b"\xff"
    assert failure(small[name], wrong) == failure(REAL[name], wrong)


@EACH
@examples(3)
@given(data=st.data())
def test_no_field_can_be_changed(small: dict[str, Any], name: str, data: st.DataObject) -> None:
    given_fields = data.draw(fields_of(REAL[name]))
    field = data.draw(st.sampled_from([*REAL[name].model_fields]))
    said = []
    for model in (REAL[name](**given_fields), small[name](**given_fields)):
        with pytest.raises(ValidationError) as raised:
            setattr(model, field, 1)
        said.append(str(raised.value))
        with pytest.raises(ValidationError) as raised:
            delattr(model, field)
        said.append(str(raised.value))
    assert said[:2] == said[2:]


def test_models_of_different_classes_are_never_equal(small: dict[str, Any]) -> None:
    fields = {"code": "malformed", "reason": "r"}
    ignored, rejected = (small[f"ecs_reboot.model.{name}"](**fields) for name in ("Ignored", "Rejected"))
    assert ignored != rejected
    assert ignored != fields


class Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str

    @field_validator("name")
    @classmethod
    def check(cls, value: str) -> str:
        return value


class Computed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str

    @computed_field
    def twice(self) -> str:
        return self.name * 2


class Loose(BaseModel):
    name: str


class Odd(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    numbers: set[int]


@pytest.mark.parametrize("model", [Checked, Computed, Loose, Odd])
def test_a_model_that_the_runtime_does_not_know_stops_the_build(model: Any) -> None:
    with pytest.raises(BuildError, match=f"here.{model.__name__}"):
        schemas.table({f"here.{model.__name__}": model})


def test_a_use_of_pydantic_that_the_runtime_does_not_offer_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("from pydantic import BaseModel, Field\n")
    with pytest.raises(BuildError, match=r"one\.py:1 uses Field"):
        schemas.check_source(tmp_path)
    (tmp_path / "one.py").write_text("def f(model):\n    return model.model_json_schema()\n")
    with pytest.raises(BuildError, match=r"one\.py:2 uses model_json_schema"):
        schemas.check_source(tmp_path)
