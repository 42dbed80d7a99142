"""Safe retries: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

A request claims its key by inserting the key's row at the start of its transaction. A concurrent request with the same
key waits until that transaction ends. After a commit the waiting request gets the stored response; after a rollback
(an error, a refusal, a killed process) the key is free, and the waiting request claims it. So only successful
responses are stored, and no key stays locked.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import ApiError
from core.api.models import IdempotencyKey

VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
KEYS_KEPT_FOR = timedelta(hours=24)
KEPT_HEADERS = ("Location", "ETag")


class KeyReused(ApiError):
    """A request repeats a key with another body."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used for another body within the last 24 hours. Use a new key."
    advice = "One key, one body. Use a new key for another booking."


def idempotent(request: Request, call: Callable[[], Response], *, now: datetime) -> Response:
    """Runs a call once for each `Idempotency-Key`, and replays its stored response to retries.

    Args:
        request: The request, of a signed-in user; without the header, the call simply runs.
        call: Makes the response, which must be JSON. It reports failure by raising, which releases the key.
        now: The present moment.

    Raises:
        ValidationError: For a key that is not 1 to 255 visible ASCII characters.
        KeyReused: For a key that was used with another body within 24 hours.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return call()
    if not VISIBLE.fullmatch(key):
        raise ValidationError({"Idempotency-Key": ["1 to 255 visible ASCII characters are needed."]})
    user = cast(User, request.user)
    fingerprint = fingerprint_of(request.data)
    with transaction.atomic():
        while (row := claim(user, key, fingerprint, now=now)) is None:
            # The other request's row may expire and be deleted before this query; then claim again.
            completed = IdempotencyKey.objects.filter(user=user, key=key).first()
            if completed is not None:
                return replay(completed, fingerprint)
        response = call()
        row.status = response.status_code
        row.headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        row.body = orjson.dumps(response.data, option=orjson.OPT_UTC_Z).decode()
        row.save(update_fields=["status", "headers", "body"])
        return response


def claim(user: User, key: str, fingerprint: str, *, now: datetime) -> IdempotencyKey | None:
    """Inserts the key's row, which locks the key until the transaction ends; None when another request has the key."""
    IdempotencyKey.objects.filter(user=user, key=key, created_at__lte=now - KEYS_KEPT_FOR).delete()
    row = IdempotencyKey(user=user, key=key, fingerprint=fingerprint, created_at=now)
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    # A committed row always has a status, so a row without one belongs to this transaction.
    return IdempotencyKey.objects.filter(user=user, key=key, status=None).first()


def replay(completed: IdempotencyKey, fingerprint: str) -> Response:
    """The stored response of a completed request.

    Raises:
        KeyReused: When the completed request had another body.
    """
    if completed.fingerprint != fingerprint:
        raise KeyReused
    headers = {**(completed.headers or {}), "Idempotent-Replayed": "true"}
    return Response(orjson.loads(completed.body), status=completed.status, headers=headers)


def fingerprint_of(data: Any) -> str:  # noqa: ANN401 - a body of any shape
    """The SHA-256 of a parsed body; the order of its fields makes no difference."""
    plain = dict(data.lists()) if isinstance(data, QueryDict) else data
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    try:
        serialized = orjson.dumps(plain, default=str, option=options)
    except orjson.JSONEncodeError:
        serialized = repr(plain).encode("utf-8", "surrogatepass")
    return hashlib.sha256(serialized).hexdigest()
