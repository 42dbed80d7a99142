"""The errors are made from their classes: the answers, the description and the table in docs/api.md."""

import ast
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from rest_framework import exceptions
from rest_framework_simplejwt import authentication as jwt_authentication
from rest_framework_simplejwt import serializers as jwt_serializers

from core.api.errors import ApiError
from core.api.exception_handler import DETAILS, flat_error
from core.errors import BookingError
from core.management.commands import write_error_table
from core.schema.problems import problems, subclasses, table
from core.tests.support import documents
from core.tests.support.environment import ROOT

# No client gets them, or they are the name of a whole family.
NEVER_ANSWERED = {
    "booking_error": "the base of the rules",
    "changed_meanwhile": "the admin's own",
    "error": "the base of the framework's errors",
    "nothing_closed": "the admin's own",
    "not_acceptable": "whatever is accepted, the answer is JSON",
}


def codes_in_the_code() -> set[str]:
    """Every code that an answer could carry: of the rules, of the frameworks' errors, and of errors made by hand."""
    assert problems(), "the views, and with them all errors, are loaded by this"
    found = {kind.code for kind in product_classes(BookingError)} | {BookingError.code}
    found |= {kind.default_code for kind in product_classes(exceptions.APIException)}
    files = [*(ROOT / "core").rglob("*.py"), *(ROOT / "booking_system_api").glob("*.py")]
    for module in (jwt_authentication, jwt_serializers):
        files.append(Path(module.__file__))
    for file in files:
        if {"tests", "schema", "migrations"} & set(file.relative_to(file.anchor).parts):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found |= codes_in(node)
    return found | {code for code, _ in DETAILS.values()}


def codes_in(call: ast.Call) -> set[str]:
    """The code that a call names, where it makes an error."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    constants = [arg.value if isinstance(arg, ast.Constant) else None for arg in call.args]
    by_name = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
    if name == "error_body":
        return {constants[1]} - {None}
    if name == "AuthenticationFailed":
        return {by_name.get("code"), constants[1] if len(constants) > 1 else None} - {None}
    return set()


def product_classes(kind: type) -> Iterator[type]:
    """The classes below a class, without those of the description's generator and of the suite."""
    for child in subclasses(kind):
        if child.__module__.startswith(("core.", "rest_framework")) and ".tests" not in child.__module__:
            yield child


def test_the_table_of_errors_in_the_document_is_the_one_that_the_classes_make() -> None:
    assert table() in documents.API.text, "docs/api.md is stale: renew its table of errors with `make schema`."


def test_the_table_has_every_code_of_the_code_and_no_other() -> None:
    assert codes_in_the_code() - set(NEVER_ANSWERED) == set(problems())


def test_each_code_has_one_class_at_most_that_gives_advice() -> None:
    told = [kind.code for kind in subclasses(BookingError) if kind.advice]
    told += [kind.default_code for kind in subclasses(ApiError) if kind.advice]
    assert len(told) == len(set(told)) > 15


def made_of_a_new_error(document: Path) -> tuple[Any, Any]:
    """What becomes of a new error, which is one class and nothing else: its answer, and what the description says."""

    class RoomOnFire(BookingError):
        """The room burns."""

        code = "room_on_fire"
        message = "This room is on fire."
        status = 409
        advice = "Choose another room."

        def facts(self) -> dict[str, object]:
            return {"floor": 3}

        def headers(self) -> dict[str, str]:
            return {"Retry-After": "600"}

    with patch.object(write_error_table, "DOCUMENT", document):
        call_command("write_error_table")
    return flat_error(RoomOnFire(), {}), problems()["room_on_fire"]


def test_a_new_error_is_one_class(tmp_path: Path) -> None:
    document = tmp_path / "api.md"
    document.write_text(documents.API.text, encoding="utf-8")
    answer, described = made_of_a_new_error(document)
    gc.collect()  # the class is gone again

    body = {"error": "Conflict", "code": "room_on_fire", "detail": "This room is on fire.", "floor": 3}
    assert (answer.status_code, answer.data, answer.headers["Retry-After"]) == (409, body, "600")
    assert (described.status, described.advice, described.body) == (409, "Choose another room.", body)
    new = set(document.read_text(encoding="utf-8").splitlines()) - set(documents.API.text.splitlines())
    assert new == {"| `room_on_fire` | 409 | Choose another room. |"}
    assert "room_on_fire" not in problems()


def test_another_error_has_its_field_and_its_own_words() -> None:
    class TooLoud(BookingError):
        code = "too_loud"
        message = "Speak softly."
        field = "notes"

    answer = flat_error(TooLoud("Not so loud."), {})
    assert answer.status_code == 400
    assert answer.data == {
        "error": "Invalid input",
        "code": "too_loud",
        "detail": "notes: Not so loud.",
        "notes": ["Not so loud."],
    }


SPEAK = """
import django
django.setup()
from core.api.exception_handler import flat_error
from core.errors import BookingError, StartInPast
assert BookingError.__doc__ is None
print(flat_error(StartInPast(), {}).data["detail"])
"""


@pytest.mark.processes
def test_a_refusal_has_its_words_where_python_drops_the_docstrings() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "booking_system_api.settings", "DEBUG": "True"}
    ran = subprocess.run(
        [sys.executable, "-OO", "-c", SPEAK], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "start_time: The start is in the past. Choose a later one.\n"
