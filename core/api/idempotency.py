"""Safe repetition: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

The key's row is written first in the transaction of the call that it is for. A rival with the same key waits there
until that transaction ends: when it went through, the rival gets its answer; when it did not, whether refused, failed
or killed, the key is free and the rival goes on. So nothing but a success is ever kept, and a key never gets stuck.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.models import IdempotencyKey

VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_FOR = timedelta(hours=24)
KEPT_HEADERS = ("Location", "ETag")


class KeyReused(APIException):
    """The same key came with another body."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used for another body within the last 24 hours. Use a new key."


def once(request: Request, call: Callable[[], Response], *, now: datetime) -> Response:
    """Answer a call, and the same again where its `Idempotency-Key` comes again; without a key just answer it.

    Args:
        request: The call, of somebody signed in.
        call: Does it; its answer must be JSON, and only a success counts.
        now: The present moment.

    Raises:
        ValidationError: For a key that is not 1 to 255 visible ASCII characters.
        KeyReused: For a key that came with another body within 24 hours.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return call()
    if not VISIBLE.fullmatch(key):
        raise ValidationError({"Idempotency-Key": ["1 to 255 visible ASCII characters are needed."]})
    fingerprint = fingerprint_of(request.data)
    with transaction.atomic():
        mine = first = None
        while mine is None and first is None:
            mine = claim(request.user, key, fingerprint, now=now)
            # Between the two looks the other row may have expired and been cleaned up.
            first = None if mine else IdempotencyKey.objects.filter(user=request.user, key=key).first()
        if mine is None:
            return replay(first, fingerprint)
        response = call()
        mine.status = response.status_code
        mine.headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        mine.body = orjson.dumps(response.data, option=orjson.OPT_UTC_Z).decode()
        mine.save(update_fields=["status", "headers", "body"])
        return response


def claim(user: User, key: str, fingerprint: str, *, now: datetime) -> IdempotencyKey | None:
    """The key's row, new and ours until the transaction ends; None where somebody has it."""
    IdempotencyKey.objects.filter(user=user, key=key, created_at__lte=now - KEPT_FOR).delete()
    row = IdempotencyKey(user=user, key=key, fingerprint=fingerprint, created_at=now)
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    # Others see a row only with its answer, so one without is ours.
    return IdempotencyKey.objects.filter(user=user, key=key, status=None).first()


def replay(first: IdempotencyKey, fingerprint: str) -> Response:
    """The first answer again.

    Raises:
        KeyReused: When it was for another body.
    """
    if first.fingerprint != fingerprint:
        raise KeyReused
    headers = {**first.headers, "Idempotent-Replayed": "true"}
    return Response(orjson.loads(first.body), status=first.status, headers=headers)


def fingerprint_of(data: Any) -> str:  # noqa: ANN401 - whatever was sent
    """A word for a body, whatever the order of its fields."""
    plain = dict(data.lists()) if isinstance(data, QueryDict) else data
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    try:
        words = orjson.dumps(plain, default=str, option=options)
    except orjson.JSONEncodeError:
        words = repr(plain).encode("utf-8", "surrogatepass")
    return hashlib.sha256(words).hexdigest()
