"""Lists: plain arrays, whole unless the caller asks for a part."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from rest_framework.views import APIView

LARGEST_PAGE = 1000


class KeyPagination(BasePagination):
    """Pages by key, asked for with `?limit=`, linked to each other by the `Link` header (RFC 8288).

    The cursor holds the ordering values of the last row shown, so that a page costs the same wherever it lies, and
    rows that come and go meanwhile neither double nor hide the others.
    """

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: "APIView | None" = None) -> list[Any]:
        """The rows of this answer, and what its headers will say.

        Raises:
            ValidationError: For a limit that is not a number from 1 to 1000, or a cursor that is none of ours.
        """
        self.request = request
        self.next_cursor: str | None = None
        self.total = queryset.count() if asks_for_count(request) else None
        limit = parse_limit(request)
        if limit is None:
            return list(queryset)
        names = [str(name) for name in queryset.query.order_by or queryset.model._meta.ordering]
        cursor = request.query_params.get("cursor")
        if cursor:
            queryset = queryset.filter(after(names, decode(cursor, queryset.model, names)))
        rows = list(queryset[: limit + 1])
        if len(rows) > limit:
            self.next_cursor = encode([value_of(rows[limit - 1], name.lstrip("-")) for name in names])
        return rows[:limit]

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        """The plain array with its headers."""
        headers = {}
        if self.next_cursor:
            url = replace_query_param(self.request.build_absolute_uri(), "cursor", self.next_cursor)
            headers["Link"] = f'<{url}>; rel="next"'
        if self.total is not None:
            headers["X-Total-Count"] = str(self.total)
        return Response(data, headers=headers)


def parse_limit(request: Request) -> int | None:
    """How many rows are asked for; None for all."""
    sent = request.query_params.get("limit")
    if sent is None:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) < 6 and 1 <= int(sent) <= LARGEST_PAGE):
        raise ValidationError({"limit": [f"A whole number from 1 to {LARGEST_PAGE} is needed."]})
    return int(sent)


def asks_for_count(request: Request) -> bool:
    """Whether the caller wants the total."""
    sent = request.query_params.get("count", "false").lower()
    if sent not in ("true", "false", "1", "0"):
        raise ValidationError({"count": ["Send true or false."]})
    return sent in ("true", "1")


def value_of(row: Any, name: str) -> Any:  # noqa: ANN401 - a model or a dict
    """One ordering value of a row."""
    return row[name] if isinstance(row, dict) else getattr(row, name)


def encode(values: Sequence[Any]) -> str:
    """The ordering values as an opaque word."""
    plain = json.dumps([value.isoformat() if hasattr(value, "isoformat") else value for value in values])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(cursor: str, model: type[Model], names: Sequence[str]) -> list[Any]:
    """The ordering values that a cursor holds.

    Raises:
        ValidationError: When it is none of ours.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        assert isinstance(values, list)
        assert len(values) == len(names)
        return [read(model, name.lstrip("-"), value) for name, value in zip(names, values, strict=True)]
    except (ValueError, AssertionError, binascii.Error, RecursionError) as error:
        raise ValidationError({"cursor": ["This cursor is not one of ours. Follow the Link header."]}) from error


def read(model: type[Model], name: str, value: object) -> Any:  # noqa: ANN401
    """One ordering value, checked against the type of its field."""
    kind = model._meta.get_field(name).get_internal_type()
    if kind == "DateTimeField":
        moment = parse_datetime(value) if isinstance(value, str) else None
        assert moment is not None
        assert moment.tzinfo is not None
        return moment
    if kind.endswith("CharField"):
        assert isinstance(value, str)
        assert "\0" not in value
        return value
    assert type(value) is int
    assert abs(value) < 2**63
    return value


def after(names: Sequence[str], values: Sequence[Any]) -> Q:
    """The condition of the rows that come after the one with these ordering values."""
    condition = Q()
    for name, value in reversed(list(zip(names, values, strict=True))):
        field, beyond = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        further = Q(**{f"{field}__{beyond}": value})
        condition = further | Q(**{field: value}) & condition if condition else further
    return condition
