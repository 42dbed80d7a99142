"""JSON bodies outside of the description that the API reads all the same: words, digits and numbers for texts."""

import math
from typing import Any

import jsonschema_rs

from core.tests.support.described import resolved


def is_forgiven(body: Any, shape: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether a body breaks its shape by nothing but the values that `description.md` forgives."""
    if not isinstance(body, dict):
        return False
    fields = fields_of(shape, schema)
    meant = {name: meant_by(value, fields.get(name, {}), schema) for name, value in body.items()}
    validator = jsonschema_rs.validator_for({**shape, "components": schema["components"]}, validate_formats=True)
    return validator.is_valid(meant) and not validator.is_valid(body)


def fields_of(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of a shape, or of all shapes to choose from, by name."""
    found = resolved(schema, shape)
    fields = dict(found.get("properties", {}))
    for one in (*found.get("anyOf", ()), *found.get("oneOf", ())):
        fields = {**fields_of(one, schema), **fields}
    return fields


def meant_by(value: Any, field: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The value of the described type that a forgiven value stands for; else the value itself."""
    kinds = field.get("type", ())
    if "boolean" in kinds and not isinstance(value, bool):
        word = schema["components"]["schemas"]["FlagWord"]
        return True if jsonschema_rs.is_valid(word, value) else value
    if "integer" in kinds and isinstance(value, str):
        return int(value) if value.strip().isdecimal() else value
    if "string" in kinds and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    return value
