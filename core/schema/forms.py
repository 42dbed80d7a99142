"""The bodies of forms: those of JSON, but a form writes null, or an absent value, as an empty field."""

from typing import Any

Schema = dict[str, Any]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
EMPTY = {"const": ""}
REQUESTS = "#/components/schemas/"


def describe_forms(paths: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Gives each form a schema of its own where it differs from the JSON body of the same operation."""
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
        shape: The schema of the JSON body. Only a reference to a component can differ from its form.
        schemas: The components, to which the form is added.
        is_new: Whether the body makes an object: an empty field is then left out, unless it is required.
    """
    name = shape.get("$ref", "").removeprefix(REQUESTS)
    if not name:
        return shape
    body = schemas[name]
    required = body.get("required", ()) if is_new else body["properties"]
    fields = {field: field_of(value, field in required) for field, value in body["properties"].items()}
    if fields == body["properties"]:
        return shape
    noun = name.removesuffix("Request")
    # POST and PUT may share the JSON body, but not the form.
    form = f"New{noun.removeprefix('New')}Form" if is_new else f"{noun}Form"
    schemas[form] = {**body, "properties": fields}
    return {"$ref": f"{REQUESTS}{form}"}


def field_of(value: Schema, is_required: bool) -> Schema:  # noqa: FBT001
    """The field of a form: it may be empty where it may be null or left out."""
    options = value.get("anyOf", [{name: part for name, part in value.items() if name != "description"}])
    not_null = [{**option, "type": without_null(option["type"])} if "type" in option else option for option in options]
    if may_be_empty(value):
        return {**value, "type": without_null(value["type"])}
    if is_required and not_null == options:
        return value
    described = {"description": value["description"]} if "description" in value else {}
    return {"anyOf": [*not_null, EMPTY], **described}


def without_null(kinds: str | list[str]) -> str | list[str]:
    """The types of a field but `null`."""
    left = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else [kinds]
    return left if len(left) > 1 else left[0]


def may_be_empty(value: Schema) -> bool:
    """Whether a field accepts an empty text."""
    return "string" in value.get("type", ()) and not {"pattern", "enum", "format", "minLength"} & set(value)
