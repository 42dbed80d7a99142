"""Every error as one flat object: `error`, `code`, `detail`, and for bad input each faulty field's own key."""

import logging
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, Error, IntegrityError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as framework_handler

from core.api.errors import (
    AddressTooLong,
    ApiError,
    BadRequest,
    BodyTooLarge,
    Contradiction,
    DatabaseUnavailable,
    HeadersTooLarge,
    RequestTimeout,
    ServerError,
)
from core.api.outages import answer_to
from core.constraints import as_booking_error
from core.errors import BookingError

logger = logging.getLogger(__name__)

NON_FIELD = "non_field_errors"

# Where a status has its own words, the others have those of HTTP; Python 3.13 has new ones for 413, 414 and 422.
TITLES = {
    400: "Invalid input",
    403: "Not allowed",
    409: "Conflict",
    413: "Body too large",
    414: "Address too long",
    422: "Unprocessable content",
    500: "Server error",
}

# The code and the sentence of an answer that Django or gunicorn makes, by its status.
DETAILS = {
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "There is nothing here. Check the address; every path ends in a slash."),
    405: ("method_not_allowed", "This method is not allowed here."),
    **{
        kind.status_code: (kind.default_code, kind.default_detail)
        for kind in (
            BadRequest,
            RequestTimeout,
            BodyTooLarge,
            AddressTooLong,
            HeadersTooLarge,
            DatabaseUnavailable,
        )
    },
}


def error_body(status: int, code: str, detail: str, /, **more: object) -> dict[str, object]:
    """The flat object that every error is."""
    return {"error": TITLES.get(status) or HTTPStatus(status).phrase, "code": code, "detail": detail, **more}


def body_of(error: ApiError) -> dict[str, object]:
    """The body of an error of ours that is about no booking."""
    return error_body(error.status_code, error.default_code, str(error.detail))


def error_for_status(status: int, request_id: str) -> tuple[int, dict[str, object]]:
    """The status and the body of an error of which no more than the status is known."""
    # 501: gunicorn does not know the transfer coding of the request.
    if status >= 500 and status not in (501, 503):
        return status, error_body(status, ServerError.default_code, str(ServerError(request_id).detail))
    code, detail = DETAILS.get(status, DETAILS[400])
    return status, error_body(status, code, detail)


def flat_error(exc: Exception, context: Mapping[str, Any]) -> Response:
    """The REST framework's exception handler.

    Whatever a view raises is answered here, with DEBUG on or off: what nobody expected is logged with its traceback
    and answered as a 500 that tells nothing but the id of the request.
    """
    exc = understood(exc)
    request_id = getattr(getattr(context.get("request"), "_request", None), "request_id", "")
    if isinstance(exc, BookingError):
        return booking_error(exc)
    answer = framework_handler(exc, dict(context))
    if answer is None:
        if unavailable := answer_to(exc, request_id):
            return Response(body_of(unavailable), status=unavailable.status_code, headers=unavailable.headers)
        logger.error("Unexpected error (request=%s)", request_id, exc_info=exc)
        return Response(error_for_status(500, request_id)[1], status=500)
    if isinstance(exc, exceptions.ValidationError):
        answer.data = validation_body(exc.detail)
    else:
        detail, code = first_message(getattr(exc, "detail", str(exc)))
        answer.data = error_body(answer.status_code, code, detail)
    return answer


def understood(exc: Exception) -> Exception:
    """The exception in a form that has an answer: Django's and the database's own turned into ours."""
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge()
    if isinstance(exc, UnreadablePostError):
        return BadRequest("The body did not arrive as a whole.")
    if isinstance(exc, SuspiciousOperation):
        return exceptions.ParseError()
    if isinstance(exc, IntegrityError):
        return as_booking_error(exc) or Contradiction()
    if isinstance(exc, DataError) or (isinstance(exc, ValueError) and "NUL" in str(exc)):
        return exceptions.ParseError("A value here cannot be stored: it is too large or has a NUL character.")
    if isinstance(exc, Error) and isinstance(exc.__cause__, UnicodeError):
        return exceptions.ParseError("A text in this request is no valid Unicode.")
    return exc


def booking_error(error: BookingError) -> Response:
    """A domain error as an answer."""
    if error.status == 400:
        body = validation_body({error.field or NON_FIELD: [error.message]}, code=error.code)
    else:
        body = error_body(error.status, error.code, error.message)
    return Response({**body, **error.facts()}, status=error.status, headers=error.headers())


def validation_body(detail: object, code: str = "invalid") -> dict[str, object]:
    """Bad input: each faulty field with its messages, and all of them again in `detail`, led by the field's name."""
    by_field: dict[str, list[str]] = {}
    for field, message in flatten(detail):
        messages = by_field.setdefault(field, [])
        if message not in messages:
            messages.append(message)
    sentences = [
        message if field == NON_FIELD else f"{field}: {message}"
        for field, messages in by_field.items()
        for message in messages
    ]
    return error_body(400, code, " ".join(sentences), **by_field)


def flatten(detail: object, field: str = NON_FIELD) -> Iterator[tuple[str, str]]:
    """The messages of a possibly nested error, each with the name of the outermost field."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            outer = name if field == NON_FIELD else field
            yield from flatten(inner, NON_FIELD if outer in ("detail", "error", "code") else str(outer))
    elif isinstance(detail, list | tuple):
        for inner in detail:
            yield from flatten(inner, field)
    else:
        yield field, str(detail)


def first_message(detail: object) -> tuple[str, str]:
    """What an error other than bad input says, and its code in snake_case."""
    said = None
    if isinstance(detail, Mapping):
        # simplejwt's own form: its `detail` has the code of the error's class, not that of the case.
        said = detail.get("code")
        detail = detail.get("detail") or next(iter(detail.values()), "")
    if isinstance(detail, list | tuple):
        detail = detail[0] if detail else ""
    code = re.sub(r"[^a-z0-9]+", "_", str(said or getattr(detail, "code", "error")).lower()).strip("_")
    return str(detail), code or "error"
