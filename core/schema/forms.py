"""The bodies of forms: those of JSON, but a form has texts alone, and an empty field for null or an absent value."""

from typing import Any

Schema = dict[str, Any]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
EMPTY = {"const": ""}
DIGITS = "^[1-9][0-9]{0,17}$"
FLAG = {"$ref": "#/components/schemas/FlagWord"}
REQUESTS = "#/components/schemas/"


def describe_forms(paths: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Gives each form a schema of its own.

    A form that equals the JSON body has its own component, too: a generated client picks the media type by the
    component.
    """
    for path in paths.values():
        for method, operation in path.items():
            content = operation.get("requestBody", {}).get("content", {})
            for kind in FORMS:
                if kind in content:
                    shape = content["application/json"]["schema"]
                    content[kind]["schema"] = form_of(shape, schemas, is_new=method == "post")


def form_of(shape: Schema, schemas: dict[str, Schema], *, is_new: bool) -> Schema:
    """The schema of a form.

    Args:
        shape: The schema of the JSON body: an object, a reference to a component, or a choice of these.
        schemas: The components, to which the form is added.
        is_new: Whether the method is POST: an empty field is then left out, unless it is required.
    """
    name = shape.get("$ref", "").removeprefix(REQUESTS)
    body = schemas[name] if name else shape
    for choice in {"anyOf", "oneOf"} & set(body):
        return {choice: [form_of(one, schemas, is_new=is_new) for one in body[choice]]}
    required = body.get("required", ()) if is_new else body["properties"]
    fields = {field: field_of(value, field in required) for field, value in body["properties"].items()}
    if not name:
        return {**body, "properties": fields}
    noun = name.removesuffix("Request")
    # POST and PUT may share the JSON body, but not the form.
    form = f"New{noun.removeprefix('New')}Form" if is_new else f"{noun}Form"
    schemas[form] = {**body, "properties": fields}
    return {"$ref": f"{REQUESTS}{form}"}


def field_of(value: Schema, is_required: bool) -> Schema:  # noqa: FBT001
    """The field of a form: it is a text, and may be empty where it may be null or left out."""
    if may_be_empty(value):
        return {**value, "type": without_null(value["type"])}
    shape = {name: part for name, part in value.items() if name != "description"}
    described = {"description": value["description"]} if "description" in value else {}
    options = as_text({**shape, "type": without_null(shape["type"])} if "type" in shape else shape)
    if not is_required or "null" in shape.get("type", ()):
        options = [*options, EMPTY]
    return {**options[0], **described} if len(options) == 1 else {"anyOf": options, **described}


def as_text(value: Schema) -> list[Schema]:
    """The shapes of a value that a form writes as text: digits for a number, a word for a flag."""
    if value.get("type") == "integer":
        return [{**value, "type": ["integer", "string"], "pattern": DIGITS}]
    return [value, FLAG] if value.get("type") == "boolean" else [value]


def without_null(kinds: str | list[str]) -> str | list[str]:
    """The types of a field but `null`."""
    left = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else [kinds]
    return left if len(left) > 1 else left[0]


def may_be_empty(value: Schema) -> bool:
    """Whether a field accepts an empty text."""
    return "string" in value.get("type", ()) and not {"pattern", "enum", "format", "minLength"} & set(value)
