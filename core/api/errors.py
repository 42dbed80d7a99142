"""Errors of the API apart from bookings: our own classes, and advice about the errors of the libraries."""

from typing import ClassVar

from rest_framework.exceptions import APIException


class ApiError(APIException):
    """An error of this API that concerns no booking.

    Attributes:
        status_code: The HTTP status of the answer.
        default_code: The name of the error for programs; it does not change.
        default_detail: The sentence for people.
        advice: The sentence for client developers.
    """

    advice: ClassVar[str] = ""


class BadRequest(ApiError):
    """The server rejects the request before a view reads it."""

    status_code = 400
    default_code = "bad_request"
    default_detail = "This request cannot be understood."
    advice = "The request is broken below the level of the API: an unknown host, a wrong Content-Length."


class Contradiction(ApiError):
    """The database rejects a write, and no rule of ours explains why."""

    status_code = 409
    default_code = "conflict"
    default_detail = "This contradicts what is stored; somebody may have been faster. Read it again and retry."
    advice = "The database refused the write for a reason of its own. Read again, then retry."


class HttpsRequired(ApiError):
    """A write by plain http; after a redirect, clients would send it as a GET."""

    status_code = 403
    default_code = "https_required"
    default_detail = "Send this call by https. Nothing was changed."
    advice = "The call came by plain http, and only reads are redirected. Begin the address with `https://`."


class RequestTimeout(ApiError):
    """A request that took too long to arrive."""

    status_code = 408
    default_code = "request_timeout"
    default_detail = "The request took too long to arrive. Send it again, faster."
    advice = "The headers have 10 seconds to arrive, a whole request has 60. Send it again."


class LengthRequired(ApiError):
    """A body without a Content-Length."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length header."
    advice = "Send a Content-Length header."


class BodyTooLarge(ApiError):
    """A body above the size limit."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is too large."
    advice = "Send less."


class AddressTooLong(ApiError):
    """A request line that is too long."""

    status_code = 414
    default_code = "address_too_long"
    default_detail = "The address with its parameters is too long."
    advice = "The address with its parameters has at most 4000 bytes."


class HeadersTooLarge(ApiError):
    """Too many headers, or one that is too long."""

    status_code = 431
    default_code = "headers_too_large"
    default_detail = "There are too many headers, or one of them is too long."
    advice = "Send at most 100 headers, each of at most 8000 bytes."


class ServerError(ApiError):
    """An unexpected failure; the log has its traceback under the same request id."""

    status_code = 500
    default_code = "server_error"
    advice = "Our fault. Report the request id; it is in `X-Request-ID`, too."

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Something went wrong on our side. Please report request {request_id}.")


class DatabaseUnavailable(ApiError):
    """The database does not answer."""

    status_code = 503
    default_code = "database_unavailable"
    headers: ClassVar = {"Retry-After": "5"}
    default_detail = "The database cannot be reached at the moment. Try again in a few seconds."
    advice = "Wait for the seconds of `Retry-After`, then repeat; a POST of a booking with its `Idempotency-Key`."


class DatabaseReadOnly(DatabaseUnavailable):
    """The database takes no writes: a standby, or an operator's setting."""

    default_code = "database_read_only"
    default_detail = "Nothing can be changed at the moment, only read. Try again in a few seconds."
    advice = "Reads are answered, writes are not. Wait for the seconds of `Retry-After`, then repeat."


class Busy(DatabaseUnavailable):
    """The database waited for too long: for a lock, or for the end of a statement."""

    default_code = "busy"
    headers: ClassVar = {"Retry-After": "2"}
    default_detail = "This takes too long at the moment; somebody else may be changing the same. Try again in a moment."
    advice = (
        "Other calls may succeed meanwhile. Wait for the seconds of `Retry-After`, then repeat; a POST of a booking "
        "with its `Idempotency-Key`."
    )


# Errors of the libraries: (code, status, an example of their message) -> advice to client developers.
LIBRARY_ERRORS = {
    ("invalid", 400, "This is no moment in ISO 8601 with an offset, such as 2030-01-31T09:00:00Z."): "A field or a "
    "parameter is missing, unknown or wrong. Each faulty one has its own key with a list of messages; "
    "`non_field_errors` are about several together.",
    ("parse_error", 400, "JSON parse error - Expecting value: line 1 column 1 (char 0)"): "The body, or a header with "
    "a grammar of its own, cannot be read. Send it as its format demands.",
    ("not_authenticated", 401, "Authentication credentials were not provided."): "The call needs somebody who is "
    "signed in. Send `Authorization: Token <key>` or `JWT <access>`.",
    ("authentication_failed", 401, "Invalid token."): "The token is unknown or void: signed out, or the password was "
    "changed. Sign in again.",
    ("token_not_valid", 401, "Given token not valid for any token type"): "The JSON Web Token has expired, is void or "
    "of the wrong type. Refresh it, or sign in again.",
    ("bad_authorization_header", 401, "Authorization header must contain two space-delimited values"): "The header is "
    "not `JWT <access>`: the word, one space, the token.",
    ("user_not_found", 401, "User not found"): "The account of the token is gone.",
    ("user_inactive", 401, "User is inactive"): "The account of the token was closed. Ask staff.",
    ("password_changed", 401, "The user's password has been changed."): "The token was made with an older password. "
    "Sign in again.",
    ("no_active_account", 401, "No active account found with the given credentials"): "User name or password are "
    "wrong, or the account is closed.",
    ("permission_denied", 403, "You do not have permission to perform this action."): "The caller is known, and may "
    "not do this: it is somebody else's, for staff, or of a session and lacks its CSRF token.",
    ("not_found", 404, "Not found."): "There is nothing of that address or id. Every path ends in a slash.",
    ("method_not_allowed", 405, 'Method "POST" not allowed.'): "The address has other methods: see the `Allow` header.",
    ("unsupported_media_type", 415, 'Unsupported media type "text/plain" in request.'): "Send JSON, a form or "
    "multipart, in UTF-8 and not compressed.",
    ("throttled", 429, "Request was throttled. Expected available in 42 seconds."): "Too many calls. Wait for the "
    "seconds of `Retry-After`.",
}
