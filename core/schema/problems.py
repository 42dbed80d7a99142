"""The catalogue of errors for client developers, made from the classes of errors."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException

from core import errors
from core.api.errors import LIBRARY_ERRORS, BodyTooLarge, ServerError
from core.api.exception_handler import body_of, booking_error, error_body
from core.api.rendering import JSONRenderer
from core.recurrence import MOST_DATES
from core.schema.examples import BOOKING, RESOURCE, TAKEN_SLOT, WANTED_SLOT, at

TABLE_HEAD = "| `code` | status | what to know |\n| --- | --- | --- |\n"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client receives it.

    Attributes:
        code: The name of the error for programs.
        status: The HTTP status of the answer.
        advice: The sentence for client developers.
        body: An example of the answer's body.
    """

    code: str
    status: int
    advice: str
    body: dict[str, Any]


TAKEN_AT = TAKEN_SLOT.start.replace(tzinfo=None)
A_DATE_TAKEN = errors.DateTaken(
    conflicts=[TAKEN_SLOT], suggestions=[errors.Suggestion("later", RESOURCE["id"], RESOURCE["name"], WANTED_SLOT)]
)
# An example of each error whose constructor takes arguments, or whose usual message is another one.
INSTANCES: tuple[errors.BookingError | APIException, ...] = (
    errors.StartTooSoon(timedelta(minutes=30)),
    errors.TooShort(30),
    errors.TooLong(120),
    errors.OffGrid(60, starts=[at("09:00"), at("10:00")], ends=None, zone="Europe/Berlin"),
    errors.OutsideOpeningHours(TAKEN_SLOT.start.date(), [(time(10), time(18))], "Europe/Berlin"),
    errors.Closed("Inventory", at("17:00")),
    errors.TooClose(15, TAKEN_SLOT),
    errors.OverlapsOwn(BOOKING["id"], RESOURCE["name"], TAKEN_SLOT),
    errors.QuotaExceeded(kind="count", period="week", limit=3, used=3, frees_at=at("23:00")),
    errors.TooLateToChange(60),
    errors.TooLateToCancel(1440),
    errors.ExceptionsClash(8, "Summer break", TAKEN_SLOT.start.date(), TAKEN_SLOT.start.date()),
    errors.TooManyExceptions(1000),
    errors.SlotTaken(
        conflicts=[TAKEN_SLOT], suggestions=[errors.Suggestion("later", RESOURCE["id"], RESOURCE["name"], WANTED_SLOT)]
    ),
    errors.TooShort(60),
    errors.TooLong(240),
    errors.OffGrid(30, starts=[TAKEN_SLOT.start, WANTED_SLOT.start], ends=None, zone="Europe/Berlin"),
    errors.OutsideOpeningHours(TAKEN_SLOT.start.date(), [(time(9), time(17))], "Europe/Berlin"),
    errors.Closed("Maintenance", WANTED_SLOT.start),
    errors.TooClose(30, TAKEN_SLOT),
    errors.OverlapsOwn(41, RESOURCE["name"], TAKEN_SLOT),
    errors.QuotaExceeded(kind="count", period="day", limit=2, used=2, frees_at=WANTED_SLOT.start),
    errors.TooLateToChange(1440),
    errors.TooLateToCancel(1440),
    errors.StatusNotAllowed("This resource requires approval: only staff may confirm a booking of it."),
    errors.StateChanged("cancelled"),
    errors.ClosureConflicts(
        [errors.Clash("booking", 41, RESOURCE["id"], RESOURCE["name"], TAKEN_SLOT, "confirmed", "alice")]
    ),
    errors.DatesRefused([errors.Verdict(TAKEN_AT, TAKEN_SLOT, A_DATE_TAKEN)], of=10),
    errors.RuleNotSupported("FREQ", "is DAILY, WEEKLY, MONTHLY or YEARLY."),
    errors.TooManyDates(MOST_DATES),
    errors.StaleVersion({}, ""),
    BodyTooLarge("The body may have at most 1048576 bytes."),
    ServerError("0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
)
EXAMPLES = {type(error): error for error in INSTANCES}


def problems() -> dict[str, Problem]:
    """The errors with advice by code, in the order of status and code."""
    # The routes import all views, and the views import all errors.
    import_module(settings.ROOT_URLCONF)
    kinds = [*subclasses(errors.BookingError), *subclasses(APIException)]
    told = [problem_of(kind) for kind in kinds if getattr(kind, "advice", "")]
    for (code, status, message), advice in LIBRARY_ERRORS.items():
        told.append(Problem(code, status, advice, error_body(status, code, message)))
    return {one.code: one for one in sorted(told, key=lambda one: (one.status, one.code))}


def subclasses(kind: type) -> Iterator[type]:
    """All subclasses of a class, also indirect ones, in the imported modules."""
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def problem_of(kind: Any) -> Problem:  # noqa: ANN401 - a class of errors
    """The catalogue entry of one of our own classes."""
    error = EXAMPLES.get(kind) or kind()
    if isinstance(error, errors.BookingError):
        body = json.loads(JSONRenderer().render(booking_error(error).data))
        return Problem(kind.code, kind.status, kind.advice, body)
    return Problem(kind.default_code, kind.status_code, kind.advice, body_of(error))


def row_of(problem: Problem) -> str:
    """The row of an error in the table."""
    return f"| `{problem.code}` | {problem.status} | {problem.advice} |\n"


def table() -> str:
    """The table of errors in docs/api.md, in Markdown."""
    return TABLE_HEAD + "".join(map(row_of, problems().values()))
