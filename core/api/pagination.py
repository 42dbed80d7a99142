"""Lists: plain arrays, whole unless the caller asks for a part."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.api.query import parameters_of

if TYPE_CHECKING:
    from core.api.views import ApiView

# What a cursor does not depend on: how much is shown, and how.
PRESENTATION = {"limit", "cursor", "count", "format", "include"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: the ordering values of a row, and whether the page lies before or after it.

    Without values it is an end of the list: the last page lies before it, the first one after it.
    """

    values: tuple[Any, ...]
    backwards: bool = False

    def encode(self, list_mark: str) -> str:
        """The place as an opaque word that is good for one list only."""
        values = [value.isoformat() if hasattr(value, "isoformat") else value for value in self.values]
        plain = json.dumps([list_mark, self.backwards, values], ensure_ascii=False)
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, word: str, list_mark: str, model: type[Model], names: Sequence[str]) -> "Cursor":
        """The place that a word means.

        Raises:
            ValidationError: When the word is none of ours, or was made for another list, filter or ordering.
        """
        try:
            mark, backwards, values = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
            if mark != list_mark or len(values) not in (0, len(names)):
                raise ValidationError(
                    {"cursor": ["This cursor was made for other filters or another ordering. Begin without one."]}
                )
            return cls(tuple(map(Key(model), names, values)), backwards is True)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ValidationError({"cursor": ["This cursor is not one of ours. Follow the Link header."]}) from error


@dataclass(frozen=True, slots=True)
class Key:
    """Reads ordering values of a model."""

    model: type[Model]

    def __call__(self, name: str, value: object) -> Any:  # noqa: ANN401 - any field's value
        """The value, checked against the type of its field.

        Raises:
            ValueError: When it cannot be one.
        """
        kind = self.model._meta.get_field(name.lstrip("-")).get_internal_type()
        if kind == "DateTimeField" and isinstance(value, str) and "\0" not in value:
            moment = parse_datetime(value)
            if moment is not None and moment.tzinfo is not None:
                return moment.astimezone(UTC)
        if kind == "CharField" and isinstance(value, str) and "\0" not in value and value.encode():
            return value
        if kind.endswith(("AutoField", "IntegerField")) and type(value) is int and abs(value) < 2**63:
            return value
        raise ValueError(value)


class KeyPagination(BasePagination):
    """Pages by key, asked for with `?limit=`, linked to each other by the `Link` header (RFC 8288).

    The cursor holds the ordering values of the row at the edge of the page, so that a page costs the same wherever
    it lies, and rows that come and go meanwhile neither double nor hide the others.
    """

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: "ApiView") -> list[Any]:
        """The rows of this answer, and what its headers will say.

        Args:
            queryset: The list.
            request: The call.
            view: Of a list; its `parameters` are `ListParameters`.

        Raises:
            ValidationError: For a cursor that does not fit.
        """
        self.request = request
        self.links: dict[str, str] = {}
        limit, word = view.parameters["limit"], view.parameters["cursor"]
        self.total = queryset.count() if view.parameters["count"] else None
        if limit is None:
            if word is not None:
                raise ValidationError({"limit": ["A cursor needs a limit. Follow the Link header as it is."]})
            return list(queryset)
        names = [str(name) for name in queryset.query.order_by or queryset.model._meta.ordering]
        self.mark = list_mark(request, names)
        cursor = Cursor.decode(word, self.mark, queryset.model, names) if word is not None else None
        rows, more = page(queryset, names, cursor, limit)
        self.links = self.links_of(rows, names, cursor, more=more)
        return rows

    def links_of(
        self, rows: Sequence[Any], names: Sequence[str], cursor: Cursor | None, *, more: bool
    ) -> dict[str, str]:
        """The addresses of the neighbours: `first` always, `next` and `prev` where there is something."""
        here = self.request.build_absolute_uri()
        links = {"first": remove_query_param(here, "cursor")}
        ahead, behind = ("prev", "next") if cursor is not None and cursor.backwards else ("next", "prev")
        there = {ahead: more, behind: cursor is not None and bool(cursor.values)}
        # Where nothing is left on this page, the ends of the list are its neighbours.
        for relation, edge, direction in (("next", rows[-1:], False), ("prev", rows[:1], True)):
            if there[relation]:
                values = tuple(value_of(row, name.lstrip("-")) for row in edge for name in names)
                links[relation] = replace_query_param(here, "cursor", Cursor(values, direction).encode(self.mark))
        return links

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        """The plain array with its headers."""
        headers = {}
        if self.links:
            headers["Link"] = link_header(self.links)
        if self.total is not None:
            headers["X-Total-Count"] = str(self.total)
        return Response(data, headers=headers)


def link_header(links: Mapping[str, str]) -> str:
    """The addresses of other pages by their relation, as RFC 8288 writes them."""
    return ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links.items())


def page(queryset: QuerySet[Any], names: Sequence[str], cursor: Cursor | None, limit: int) -> tuple[list[Any], bool]:
    """The rows at a place of the list, and whether there are more in the direction it was walked."""
    walked = list(names)
    if cursor is not None:
        if cursor.backwards:
            walked = [name[1:] if name.startswith("-") else f"-{name}" for name in names]
        queryset = queryset.order_by(*walked)
        if cursor.values:
            queryset = queryset.filter(beyond(walked, cursor.values))
    rows = list(queryset[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return (rows[::-1] if cursor is not None and cursor.backwards else rows), more


def beyond(names: Sequence[str], values: Sequence[Any]) -> Q:
    """The condition of the rows that come after the one with these ordering values, walked in this order."""
    condition = Q()
    for name, value in reversed(list(zip(names, values, strict=True))):
        field, comparison = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        further = Q(**{f"{field}__{comparison}": value})
        # The first half is implied by the rest; it lets the database begin its walk along the index at once.
        at_least = Q(**{f"{field}__{comparison}e": value})
        condition = at_least & (further | condition) if condition else further
    return condition


def list_mark(request: Request, names: Sequence[str]) -> str:
    """What tells one list from another: its address, its filters and its ordering."""
    filters = sorted((name, values) for name, values in parameters_of(request).lists() if name not in PRESENTATION)
    return hashlib.sha256(repr((request.path, filters, list(names))).encode()).hexdigest()[:12]


def value_of(row: Any, name: str) -> Any:  # noqa: ANN401 - a model or a dict
    """One ordering value of a row."""
    return row[name] if isinstance(row, dict) else getattr(row, name)
