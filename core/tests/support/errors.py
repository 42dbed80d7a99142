"""The form that every error of the API has."""

import re

from django.http import HttpResponseBase

from core.schema.shapes import FACTS

WORDS = ("error", "code", "detail")
# What refusals have beside the messages of fields.
NOTICES = ("change_notice_minutes", "cancel_notice_minutes")
SLOTS = ("conflicts", "suggestion", "suggestions", "current", "exception", *NOTICES, *FACTS)


def assert_flat_error(
    response: HttpResponseBase, status: int, code: str | None = None, field: str | None = None
) -> dict:
    """The body of an error, after making sure that it has the one form.

    Args:
        response: The answer.
        status: The status it must have.
        code: The code it must have; None for any in snake_case.
        field: An input that must be among the faulty ones (`non_field_errors` for a rule across inputs).
    """
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    body = response.json()
    assert isinstance(body, dict)
    for word in WORDS:
        assert isinstance(body[word], str), body
        assert body[word].strip(), body
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", body["code"]), body
    assert code is None or body["code"] == code, body
    assert "Traceback" not in body["detail"]
    # A name of a fact can be one of a field as well.
    facts = set() if body["code"] == "invalid" else {*SLOTS} - {field}
    messages = {name: said for name, said in body.items() if name not in (*WORDS, *facts)}
    assert field is None or field in messages, body
    for name, said in messages.items():
        assert isinstance(said, list), body
        assert said, body
        for message in said:
            assert isinstance(message, str), body
            led = message if name == "non_field_errors" else f"{name}: {message}"
            assert led in body["detail"], body
    return body
