"""The codes of errors: those of the code, of the description and of docs/api.md are the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.urls import get_resolver
from rest_framework import exceptions
from rest_framework_simplejwt import authentication as jwt_authentication
from rest_framework_simplejwt import serializers as jwt_serializers

from core.api.exception_handler import DETAILS
from core.errors import BookingError
from core.schema.problems import PROBLEMS
from core.tests.support import documents
from core.tests.support.environment import ROOT

ROW = re.compile(r"^\| `([a-z_]+)` \| ([0-9]{3}) \| (.+) \|$", re.MULTILINE)

# Whoever raises them is never asked for them, or they are the name of a whole family.
NEVER_ANSWERED = {
    "booking_error": "the base of the rules",
    "changed_meanwhile": "the admin's own",
    "error": "the base of the framework's errors",
    "not_acceptable": "whatever is accepted, the answer is JSON",
}


def codes_in_the_code() -> set[str]:
    """Every code that an answer could carry: of the rules, of the frameworks' errors, and of errors made by hand."""
    assert get_resolver().url_patterns, "the views, and with them all errors, are loaded by this"
    found = {kind.code for kind in subclasses(BookingError)}
    found |= {kind.default_code for kind in subclasses(exceptions.APIException)}
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


def subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        # Those of the description's generator and of the suite are nobody's answers.
        if child.__module__.startswith(("core.", "rest_framework")) and ".tests" not in child.__module__:
            yield child
        yield from subclasses(child)


def test_the_table_of_codes_says_what_the_description_says() -> None:
    rows = ROW.findall(documents.API.text)
    assert rows == sorted(
        ((code, str(problem.status), problem.meaning) for code, problem in PROBLEMS.items()), key=lambda row: row[1]
    )


def test_the_table_has_every_code_of_the_code_and_no_other() -> None:
    assert codes_in_the_code() - set(NEVER_ANSWERED) == set(PROBLEMS)
