"""What the errors of an operation look like: each example speaks of what that operation reads."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.plumbing import force_instance
from rest_framework import serializers

from core.api.etags import NO_TAGS
from core.api.exception_handler import error_body, validation_body
from core.api.fields import MomentField
from core.schema import examples
from core.schema.operation import RESOURCES, Operation
from core.schema.parameters import MOMENT, PARAMETERS
from core.schema.problems import PROBLEMS

NAIVE = str(MomentField.default_error_messages["naive"])


def refusal(code: str, said: Operation) -> dict[str, Any]:
    """The body of an error, as this operation answers it."""
    usual = PROBLEMS[code]
    if code == "invalid":
        return validation_body(faulty(said))
    if code == "parse_error" and said.body is None:
        return error_body(usual.status, code, NO_TAGS)
    if code == "precondition_failed" and said.tag == RESOURCES:
        return {**usual.body, "current": examples.RESOURCE}
    return usual.body


def faulty(said: Operation) -> Mapping[str, list[str]]:
    """Something that could be wrong with a call, and what is said of it."""
    if said.body:
        shape = said.body.shape(partial=True) if said.body.partial else force_instance(said.body.shape)
        return faulty_field(shape)
    if said.filters:
        return faulty_field(said.filters())
    read = {PARAMETERS[name]["name"]: PARAMETERS[name]["schema"] for name in ("format", *said.parameters)}
    for name, schema in read.items():
        if schema == MOMENT:
            return {name: [NAIVE]}
    return {"format": [f"Send {', '.join(read['format']['enum'])}."]}


def faulty_field(shape: serializers.Serializer) -> Mapping[str, list[str]]:
    """A time without its offset, else what is missing, else a null, in the words of the serializer."""
    sent = {name: field for name, field in shape.fields.items() if not field.read_only}
    for name, field in sent.items():
        if isinstance(field, MomentField):
            return {name: [NAIVE]}
    for name, field in sent.items():
        if field.required and not shape.partial:
            return {name: [str(field.error_messages["required"])]}
    name, field = next(iter(sent.items()))
    return {name: [str(field.error_messages["invalid" if field.allow_null else "null"])]}
