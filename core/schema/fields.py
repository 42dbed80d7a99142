"""Corrections of fields from drf-spectacular: wider in bodies, without rules in responses."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from drf_spectacular.plumbing import force_instance
from rest_framework.fields import CharField
from rest_framework.serializers import Serializer

from core.api.fields import MomentField, TextField
from core.api.query import QueryParameters
from core.series.fields import LocalTimeField

Schema = dict[str, Any]

NAIVE = str(MomentField.default_error_messages["naive"])


def drop_input_rules(fields: dict[str, Schema]) -> None:
    """Removes the rules of bodies from the fields of a response: a stored e-mail address may be empty."""
    for field in fields.values():
        for rule in ("pattern", "title", *(("format",) if field.get("format") == "email" else ())):
            field.pop(rule, None)


def widen_inputs(fields: dict[str, Schema], serializer: Serializer) -> None:
    """Adds the white space and the null that the serializer accepts to the fields of a body, or of a query.

    Words for flags, digits for numbers and numbers for texts stay out of the JSON body: a generated client would offer
    them as types. `description.md` names them, and `forms.py` adds them to forms.
    """
    for name, field in fields.items():
        reader = serializer.fields.get(name)
        if isinstance(reader, CharField) and reader.trim_whitespace:
            allow_outer_space(field)
        if isinstance(reader, TextField):
            field["type"] = [field["type"], "null"]


def allow_outer_space(field: Schema) -> None:
    """Accepts white space around a text; the API strips the white space before it validates the text."""
    if "pattern" in field:
        field["pattern"] = f"^\\s*{field['pattern'].removeprefix('^').removesuffix('$')}\\s*$"
    if "maxLength" in field:
        most = f"At most {field.pop('maxLength')} characters, not counting white space at its ends."
        field["description"] = f"{field.get('description', '')} {most}".strip()


def example_error(serializer: Any, *, partial: bool) -> Mapping[str, list[str]]:  # noqa: ANN401 - a class or an instance
    """An error of the serializer: a time without its offset, else a missing field, else a null."""
    shape = force_instance(serializer)
    shape = copy(getattr(shape, "child", shape))  # of a list: an error of its first object
    shape.partial = partial
    sent = {name: field for name, field in shape.fields.items() if not field.read_only}
    for name, field in sent.items():
        if isinstance(field, MomentField) and not isinstance(field, LocalTimeField):
            return {name: [NAIVE]}
    for name, field in sent.items():
        if field.required and not shape.partial:
            return {name: [str(field.error_messages["required"])]}
    if isinstance(shape, QueryParameters) or not sent:
        return {}
    name, field = next(iter(sent.items()))
    return {name: [str(field.error_messages["invalid" if field.allow_null else "null"])]}
