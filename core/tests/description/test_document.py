"""The description of the API: it is complete, and its examples are what it says."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import jsonschema_rs
import pytest
from django.core.management import call_command
from django.urls import get_resolver
from drf_spectacular.extensions import OpenApiViewExtension
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from core.api.fields import FlagField
from core.availability import serializers as availability
from core.policies.closure_serializers import ClosureListParameters
from core.reports.serializers import UtilisationParameters
from core.serializers import BookingListParameters, ResourceListParameters, ScopeParameters, TimelinesParameters
from core.series.serializers import SeriesListParameters
from core.tests.support.described import BELOW_API, COMMITTED, OUTSIDE, PAGES, document, operations, path_of, resolved
from core.tests.support.errors import SLOTS, WORDS
from core.tests.support.forgiven import fields_of, is_forgiven
from core.tests.support.routes import ROUTES, leaves


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return document()


# --- The committed file -----------------------------------------------------------------------------------------------


def test_the_committed_description_is_what_the_code_says() -> None:
    written = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=written)
    assert written.getvalue().strip() == COMMITTED.read_text(encoding="utf-8").strip(), (
        "openapi.yaml is stale: renew it with `make schema` and read the difference."
    )


def test_it_describes_every_method_of_every_address(schema: dict[str, Any]) -> None:
    there = {
        (method, path_of(address))
        for name, (address, methods) in ROUTES.items()
        for method in methods.split()
        if name not in PAGES
    }
    assert {(method, path) for method, path, _ in operations(schema)} == there | {("get", path) for path in OUTSIDE}


def test_every_description_belongs_to_a_view_that_the_routes_name() -> None:
    call_command("spectacular", stdout=StringIO())
    routed = {pattern.callback.cls for _, pattern in leaves(get_resolver().url_patterns)}
    described = [one.target_class for one in OpenApiViewExtension._registry if one.__module__.startswith("core.")]
    assert len(described) == len(set(described)) > 10
    assert set(described) <= routed


def test_it_is_openapi_3_1_with_both_ways_to_sign_in(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert set(schema["components"]["securitySchemes"]) == {"Token", "JWT"}
    guarded = [operation["security"] for _, _, operation in operations(schema) if {} not in operation["security"]]
    assert guarded
    assert all(security == [{"Token": []}, {"JWT": []}] for security in guarded)


def test_every_operation_has_a_name_words_and_a_tag_of_its_own(schema: dict[str, Any]) -> None:
    found = [operation for _, _, operation in operations(schema)]
    names = [operation["operationId"] for operation in found]
    assert len(set(names)) == len(names)
    assert {tag for operation in found for tag in operation["tags"]} == {tag["name"] for tag in schema["tags"]}
    for operation in found:
        assert operation["summary"], operation["operationId"]
        assert operation["description"], operation["operationId"]


def test_paths_come_in_the_order_of_their_tags(schema: dict[str, Any]) -> None:
    # A path with two tags stands where its first method does.
    used = dict.fromkeys(next(iter(methods.values()))["tags"][0] for methods in schema["paths"].values())
    assert list(used) == [tag["name"] for tag in schema["tags"]]


def test_every_query_parameter_is_described(schema: dict[str, Any]) -> None:
    paging = {"limit", "cursor", "count"}
    expected = {
        "/api/bookings/": set(BookingListParameters().fields) | paging,
        "/api/resources/": set(ResourceListParameters().fields) | paging,
        "/api/resources/availability/": set(TimelinesParameters().fields) | paging,
        "/api/availability/": set(availability.FirstSlotParameters().fields),
        "/api/resources/{id}/availability/": set(availability.TimelineParameters().fields),
        "/api/resources/{id}/slots/": set(availability.SlotParameters().fields),
        "/api/bookings/{id}/history/": paging,
        "/api/calendar-feeds/": paging,
        "/api/closures/": set(ClosureListParameters().fields) | paging,
        "/api/auth/users/": paging,
        "/api/opening-exceptions/": paging,
        "/api/resources/{resource_id}/opening-exceptions/": paging,
        "/api/resources/{id}/open/": {"start", "end"},
        "/api/quotas/": paging,
        "/api/reports/utilisation/": set(UtilisationParameters().fields),
        "/api/resources/{id}/": {"start", "end", "include"},
        "/api/bookings/{id}/": {"include"},
        "/api/series/": set(SeriesListParameters().fields) | paging,
    }
    scoped = set(ScopeParameters().fields)
    of_writes = {"/api/bookings/{id}/": scoped, "/api/bookings/check/": scoped}
    for method, path, operation in operations(schema):
        described = operation.get("parameters", [])
        names = (expected if method == "get" else of_writes).get(path, set()) | (
            {"format"} if path in BELOW_API else set()
        )
        assert {one["name"] for one in described if one["in"] == "query"} == names, f"{method} {path}"
        assert all(one["description"] for one in described), path


def test_only_what_has_to_be_sent_has_an_example(schema: dict[str, Any]) -> None:
    # The Swagger page sends examples as they are: a made-up tag would be refused, a filter would hide what there is.
    shown = [one for *_, operation in operations(schema) for one in operation.get("parameters", ()) if "example" in one]
    assert shown
    assert [one["name"] for one in shown if not one.get("required")] == []


def test_every_answer_tells_of_its_headers(schema: dict[str, Any]) -> None:
    for method, path, operation in operations(schema):
        for status, answer in operation["responses"].items():
            headers = resolved(schema, answer)["headers"]
            where = f"{method} {path} {status}"
            assert "X-Request-ID" in headers, where
            assert ("Location" in headers) == (status == "201"), where
            assert ("Retry-After" in headers) == (status in ("429", "503")), where
            assert ("WWW-Authenticate" in headers) == (status == "401"), where


def test_no_field_is_without_words(schema: dict[str, Any]) -> None:
    shapes = (
        "Booking",
        "BulkBookingsRequest",
        "BulkDecisionRequest",
        "NewBookingRequest",
        "Resource",
        "ResourceRequest",
        "User",
        "Timeline",
        "CalendarFeed",
        "Act",
        "Closure",
        "ClosureRequest",
        "Clash",
        "Plan",
        "Part",
        "Preview",
        "Series",
        "SeriesOrderRequest",
        "SpanCancellationRequest",
        "ChosenCancellationRequest",
        "SeriesDate",
        "DateVerdict",
        "BookedDate",
    )
    for name in shapes:
        for field, described in schema["components"]["schemas"][name]["properties"].items():
            assert field == "id" or described.get("description"), f"{name}.{field}"


# --- Examples ---------------------------------------------------------------------------------------------------------


def read_by(schema: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The names of all that an operation reads."""
    contents = operation.get("requestBody", {}).get("content", {}).values()
    parameters = {one["name"] for one in operation.get("parameters", ())}
    # Of a list: what its objects have.
    shapes = [resolved(schema, content["schema"]) for content in contents]
    read = [fields_of(shape.get("items", shape), schema) for shape in shapes]
    read += [fields_of(field.get("items", {}), schema) for fields in list(read) for field in fields.values()]
    return parameters.union({"non_field_errors"}, *read)


def test_an_error_shows_a_fault_of_what_that_operation_reads(schema: dict[str, Any]) -> None:
    for method, path, operation in operations(schema):
        answer = resolved(schema, operation["responses"].get("400", {}))
        for code, example in answer.get("content", {}).get("application/json", {}).get("examples", {}).items():
            facts = set() if code == "invalid" else {*SLOTS}
            faulty = set(example["value"]) - {*WORDS} - facts
            assert faulty <= read_by(schema, operation), f"{method} {path} {code}"


def test_a_stale_version_shows_what_is_stored(schema: dict[str, Any]) -> None:
    for path in ("/api/resources/{id}/", "/api/bookings/{id}/", "/api/closures/{id}/", "/api/series/{id}/"):
        shown_there = resolved(schema, schema["paths"][path]["get"]["responses"]["200"])["content"]["application/json"]
        for method in sorted({"put", "patch", "delete"} & set(schema["paths"][path])):
            stale = resolved(schema, schema["paths"][path][method]["responses"]["412"])["content"]["application/json"]
            current = stale["examples"]["precondition_failed"]["value"]["current"]
            assert current == shown_there["examples"]["example"]["value"]


def shown(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each example with its shape."""
    for method, path, operation in operations(schema):
        bodies = [("body", operation["requestBody"])] if "requestBody" in operation else []
        for where, part in [*bodies, *operation["responses"].items()]:
            for media_type, content in resolved(schema, part).get("content", {}).items():
                for name, example in content.get("examples", {}).items():
                    yield f"{method} {path} {where} {media_type} {name}", content["schema"], example["value"]


def test_every_body_has_an_example_and_every_example_is_what_its_shape_says(schema: dict[str, Any]) -> None:
    checked, shapes = 0, {}
    for where, shape, value in shown(schema):
        key = json.dumps(shape)
        if key not in shapes:
            shapes[key] = jsonschema_rs.validator_for(
                {**shape, "components": {"schemas": schema["components"]["schemas"]}}
            )
        error = next(shapes[key].iter_errors(value), None)
        assert error is None, f"{where}: {error}"
        checked += 1
        assert value is not None, where
    for method, path, operation in operations(schema):
        for status, answer in operation["responses"].items():
            for content in resolved(schema, answer).get("content", {}).values():
                assert content["examples"], f"{method} {path} {status}"
    assert checked > 400


@pytest.mark.parametrize(
    ("path", "method", "field", "empty"),
    [
        pytest.param("/api/resources/", "post", "capacity", True, id="may be left out"),
        pytest.param("/api/resources/", "post", "name", False, id="required"),
        pytest.param("/api/resources/", "post", "description", True, id="may be empty in JSON, too"),
        pytest.param("/api/resources/{id}/", "patch", "capacity", False, id="no null, and a change"),
        pytest.param("/api/profile/preferences/", "patch", "reminder_minutes", True, id="null, and a change"),
        pytest.param("/api/calendar-feeds/", "post", "resource", True, id="null, and new"),
    ],
)
def test_a_form_may_have_an_empty_field_where_null_or_nothing_is_meant(
    schema: dict[str, Any], path: str, method: str, field: str, empty: bool
) -> None:
    content = schema["paths"][path][method]["requestBody"]["content"]
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        described = resolved(schema, content[kind]["schema"])["properties"][field]
        assert jsonschema_rs.is_valid({**described, "components": schema["components"]}, "") is empty
        assert not jsonschema_rs.is_valid({**described, "components": schema["components"]}, None)


def is_narrow(field: dict[str, Any]) -> bool:
    """Whether a field has one type, and perhaps null; the objects of a list may have a name."""
    kinds = [field["type"]] if isinstance(field.get("type"), str) else field.get("type", [])
    itself = {name: part for name, part in field.items() if name != "items"}
    return "$ref" not in json.dumps(itself) and len(set(kinds) - {"null"}) == 1


def test_each_field_of_a_json_body_has_one_type(schema: dict[str, Any]) -> None:
    checked = 0
    for method, path, operation in operations(schema):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        for name, field in fields_of(body["schema"], schema).items() if body else ():
            assert is_narrow(field), f"{method} {path} {name}: {field}"
            checked += 1
    assert checked > 40


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize(("method", "path"), [("post", "/api/resources/"), ("patch", "/api/resources/{id}/")])
def test_a_form_has_words_for_flags_and_digits_for_numbers(
    schema: dict[str, Any], method: str, path: str, kind: str
) -> None:
    content = schema["paths"][path][method]["requestBody"]["content"]
    fields = fields_of(content[kind]["schema"], schema)
    for name, value in {"is_available": "yes", "requires_approval": "Off", "capacity": "12"}.items():
        assert jsonschema_rs.is_valid({**fields[name], "components": schema["components"]}, value), name
        in_json = fields_of(content["application/json"]["schema"], schema)[name]
        assert not jsonschema_rs.is_valid({**in_json, "components": schema["components"]}, value), name


def test_a_form_is_another_component_than_the_json_body(schema: dict[str, Any]) -> None:
    # A generated client tells by the component which media type a body has.
    for method, path, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {})
        for kind in set(content) - {"application/json"}:
            assert content[kind]["schema"] != content["application/json"]["schema"], f"{method} {path} {kind}"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param({"name": "Desk", "is_available": "no"}, False, id="a word"),
        pytest.param({"name": "Desk", "is_available": 0}, False, id="a number for a flag"),
        pytest.param({"name": "Desk", "capacity": "12"}, 12, id="digits"),
        pytest.param({"capacity": 2, "name": 7}, "7", id="a number for a text"),
    ],
)
def test_json_may_also_hold_what_the_words_of_the_description_name(
    as_admin: APIClient, schema: dict[str, Any], sent: dict[str, Any], stored: object
) -> None:
    assert is_forgiven(sent, {"$ref": "#/components/schemas/ResourceRequest"}, schema)
    answer = as_admin.post("/api/resources/", sent)
    assert answer.status_code == 201, answer.json()
    assert answer.json()[list(sent)[-1]] == stored


@pytest.mark.parametrize("sent", [{"name": "Desk"}, {"name": "Desk", "is_available": "maybe"}, {"name": True}, {}, []])
def test_nothing_else_is_forgiven(schema: dict[str, Any], sent: object) -> None:
    assert not is_forgiven(sent, {"$ref": "#/components/schemas/ResourceRequest"}, schema)


@pytest.mark.parametrize("word", ["true", "False", "YES", "n", "0", 1])
def test_a_flag_may_be_a_word(schema: dict[str, Any], word: object) -> None:
    assert jsonschema_rs.is_valid(schema["components"]["schemas"]["FlagWord"], word)
    assert FlagField().run_validation(word) in (True, False)


@pytest.mark.parametrize("word", ["", "null", "tru", "yes ", 2, None])
def test_another_word_is_no_flag(schema: dict[str, Any], word: object) -> None:
    assert not jsonschema_rs.is_valid(schema["components"]["schemas"]["FlagWord"], word)
    with pytest.raises(ValidationError):
        FlagField().run_validation(word)


def test_every_operation_says_what_the_server_refuses_by_itself(schema: dict[str, Any]) -> None:
    for method, path, operation in operations(schema):
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Refused"}, f"{method} {path}"
