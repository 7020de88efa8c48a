"""pydantic as the packaged function has it: the same models, validated and written by the same Rust core.

The build puts this module in the place of ``pydantic`` and appends SCHEMAS: the core schemas that pydantic itself made
of the models. What is left to do at a start is to hand one to the Rust validator when its model is first used. It
offers what the function uses (``src/bundle/schemas.py`` holds the function to it) and behaves there as pydantic
does: same values, same errors, same JSON.
"""

from datetime import date, datetime
from operator import itemgetter
from typing import Any

from pydantic_core._pydantic_core import SchemaValidator, ValidationError

__all__ = ["BaseModel", "ConfigDict", "ValidationError"]

#: Qualified name -> names of the fields, and what makes the core schema.
SCHEMAS: dict[str, tuple[tuple[str, ...], Any]] = {}
#: Qualified name -> class, for those that exist so far.
MODELS: dict[str, Any] = {}
#: What gives the values of a model's fields, in their order.
_values_of: dict[type, Any] = {}

ConfigDict = dict


def nested(name: str) -> Any:
    """Return the core schema of a model inside another."""
    return SCHEMAS[name][1]()


class BaseModel:
    """A frozen model without extra fields."""

    __pydantic_fields_set__: set[str]

    __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")

    def __init_subclass__(cls) -> None:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name not in SCHEMAS:
            raise TypeError(f"no schema was built for {name}: build the package again")
        MODELS[name] = cls
        fields = SCHEMAS[name][0]
        _values_of[cls] = itemgetter(*fields) if fields else len
        # A default stays out of the class, as in pydantic: it is a value of instances only.
        for field in fields:
            if field in cls.__dict__:
                delattr(cls, field)

    def __init__(self, /, **data: Any) -> None:
        _validator(type(self)).validate_python(data, self_instance=self)

    @classmethod
    def model_validate(cls, value: Any) -> Any:
        """Validate a mapping or an instance."""
        return _validator(cls).validate_python(value)

    @classmethod
    def model_validate_json(cls, text: "str | bytes") -> Any:
        """Validate JSON."""
        return _validator(cls).validate_json(text)

    def model_dump(self, *, mode: str, exclude: Any = None) -> Any:
        """Return the fields as a JSON-able dict; ``exclude`` as in pydantic: a set of names, or a dict of such by name.

        Written here since the Rust serializer loads decimal, uuid, pathlib and more before it writes its first field.
        """
        if mode != "json":
            raise TypeError(f"model_dump(mode={mode!r}) is not offered here, only mode='json'")
        return _jsonable(self, exclude)

    def model_copy(self, *, update: Any = None) -> Any:
        """Return a copy, with some fields replaced. As in pydantic, the new values are not validated."""
        copied = self.__copy__()
        if update:
            copied.__dict__.update(update)
            copied.__pydantic_fields_set__.update(update)
        return copied

    def __copy__(self) -> Any:
        cls = type(self)
        copied = cls.__new__(cls)
        put = object.__setattr__
        put(copied, "__dict__", dict(self.__dict__))
        put(copied, "__pydantic_extra__", None)
        put(copied, "__pydantic_fields_set__", set(self.__pydantic_fields_set__))
        put(copied, "__pydantic_private__", None)
        return copied

    def __setattr__(self, name: str, value: Any) -> None:
        _refuse(self, name, value)

    def __delattr__(self, name: str) -> None:
        _refuse(self, name, None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseModel):
            return NotImplemented
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(_values_of[type(self)](self.__dict__))

    def __iter__(self) -> Any:
        yield from self.__dict__.items()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self, ', ')})"

    def __str__(self) -> str:
        return _listed(self, " ")


def _listed(model: BaseModel, separator: str) -> str:
    return separator.join(f"{name}={value!r}" for name, value in model.__dict__.items())


def _refuse(model: BaseModel, name: str, value: Any) -> None:
    raise ValidationError.from_exception_data(
        type(model).__name__, [{"type": "frozen_instance", "loc": (name,), "input": value}]
    )


_PLAIN = frozenset({type(None), str, bool, int, float})


def _jsonable(value: Any, exclude: Any = None) -> Any:
    if type(value) in _PLAIN or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, BaseModel):
        if not exclude:
            return {name: _jsonable(field) for name, field in value.__dict__.items()}
        deeper = exclude if isinstance(exclude, dict) else dict.fromkeys(exclude, True)
        return {
            name: _jsonable(field, deeper.get(name))
            for name, field in value.__dict__.items()
            if deeper.get(name) is not True
        }
    if isinstance(value, (tuple, list)):
        return [_jsonable(item) for item in value]
    if isinstance(value, datetime):
        text = value.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form here")


_validators: dict[type, Any] = {}


def _schema(cls: type) -> Any:
    return nested(f"{cls.__module__}.{cls.__qualname__}")


def _validator(cls: type) -> Any:
    if cls not in _validators:
        _validators[cls] = SchemaValidator(_schema(cls))
    return _validators[cls]
