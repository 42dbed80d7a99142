"""Keyset pagination: lists are plain arrays, whole unless the query string has a `limit`."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.api.query import LARGEST_PAGE, MOST_COUNTED, Parameters, parameters_of
from core.api.rendering import is_browsable_page
from core.prepared import Listing

if TYPE_CHECKING:
    from rest_framework.views import APIView

# A list that can be read in parts.
Rows = QuerySet[Any, Any] | Listing[Any]

# One statement reads at most so many rows. A longer list is read in parts of so many rows.
MOST_AT_ONCE = 10_000

# A cursor stays valid when these parameters change: they select and order nothing.
PRESENTATION = {"limit", "cursor", "count", "format", "include"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list: the ordering values of a row; the page lies after that row, or before it when `backwards`.

    A cursor without values is an end of the list: the first page, or the last page when `backwards`.
    """

    values: tuple[Any, ...]
    backwards: bool = False

    def encode(self, fingerprint: str) -> str:
        """The cursor as opaque text, valid only for the list with this fingerprint."""
        values = [value.isoformat() if hasattr(value, "isoformat") else value for value in self.values]
        plain = json.dumps([fingerprint, self.backwards, values], ensure_ascii=False)
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, fingerprint: str, model: type[Model], names: Sequence[str]) -> "Cursor":
        """Reads a cursor from its text.

        Raises:
            ValidationError: When the text is not a cursor, or belongs to another list, filter or ordering.
        """
        try:
            own_fingerprint, backwards, values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if own_fingerprint != fingerprint or len(values) not in (0, len(names)):
                raise ValidationError(
                    {"cursor": ["This cursor was made for other filters or another ordering. Begin without one."]}
                )
            return cls(tuple(map(partial(ordering_value, model), names, values)), backwards is True)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ValidationError({"cursor": ["This cursor is not one of ours. Follow the Link header."]}) from error


def ordering_value(model: type[Model], name: str, value: object) -> Any:  # noqa: ANN401 - any field's value
    """A value of a decoded cursor, converted to the type of the model's field.

    Raises:
        ValueError: When the value does not fit the field.
    """
    kind = model._meta.get_field(name.lstrip("-")).get_internal_type()
    if kind == "DateTimeField" and isinstance(value, str) and "\0" not in value:
        moment = parse_datetime(value)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    if kind == "CharField" and isinstance(value, str) and "\0" not in value:
        value.encode()  # raises UnicodeEncodeError, a ValueError, for a lone surrogate
        return value
    if kind.endswith(("AutoField", "IntegerField")) and type(value) is int and abs(value) < 2**63:
        return value
    raise ValueError(value)


class KeyPagination(BasePagination):
    """Keyset pagination by `?limit=`; the `Link` header (RFC 8288) leads to the neighbouring pages.

    The cursor holds the ordering values of the row at the edge of the page. So each page costs the same wherever the
    page lies, and concurrent inserts and deletes neither repeat nor skip other rows.

    Attributes:
        at_once: One statement reads at most so many rows of a whole list; None for `MOST_AT_ONCE`.
        rest: The later parts of a whole list of more rows than that; None for any other list.
    """

    at_once: int | None = None
    here: str
    links: dict[str, str]
    total: int | None
    fingerprint: str
    rest: Iterator[list[Any]] | None = None

    def paginate_queryset(
        self, queryset: QuerySet[Any, Any] | Sequence[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        """All rows of the response of an `ApiView`; see `begin`."""
        rows = self.begin(cast(Rows, queryset), request, cast(Any, view).parameters)
        for part in self.rest or ():
            rows += part
        self.rest = None
        return rows

    def begin(self, listed: Rows, request: Request, parameters: Parameters) -> list[Any]:
        """The page, or the first part of a whole list; also computes `rest`, and the values of `headers`.

        Args:
            listed: A list with an ordering.
            request: The request.
            parameters: The values of `ListParameters`.

        Raises:
            ValidationError: For a cursor that does not fit the list.
        """
        self.here = request.build_absolute_uri()
        self.links, self.rest = {}, None
        limit, text = parameters["limit"], parameters["cursor"]
        self.total = bounded_count(queryset_of(listed), most=MOST_COUNTED) if parameters["count"] else None
        if limit is None and text is not None:
            raise ValidationError({"limit": ["A cursor needs a limit. Follow the Link header as it is."]})
        at_once = self.at_once or MOST_AT_ONCE
        most, cursor = limit or at_once, None
        names = ordering_of(listed, most)
        self.fingerprint = list_fingerprint(request, names)
        if text is not None:
            cursor = Cursor.decode(text, self.fingerprint, queryset_of(listed).model, names)
        rows, more = fetch_page(listed, names, cursor, most)
        if more and limit is None and is_browsable_page(request):
            # The browsable page of a long list is the first page by the largest `limit`, and leads on as that does.
            rows, limit = rows[:LARGEST_PAGE], LARGEST_PAGE
            self.here = replace_query_param(self.here, "limit", limit)
        if limit is not None:
            self.links = self.links_of(rows, names, cursor, more=more)
        elif more:
            self.rest = later_parts(queryset_of(listed), names, rows[-1], at_once=at_once)
        return rows

    def links_of(
        self, rows: Sequence[Any], names: Sequence[str], cursor: Cursor | None, *, more: bool
    ) -> dict[str, str]:
        """The URLs of other pages by relation: `first` always, `next` and `prev` where such a page exists."""
        links = {"first": remove_query_param(self.here, "cursor")}
        ahead, behind = ("prev", "next") if cursor is not None and cursor.backwards else ("next", "prev")
        exists = {ahead: more, behind: cursor is not None and bool(cursor.values)}
        # An empty page has no edge row; its neighbours are the first and the last page of the list.
        for relation, edge, backwards in (("next", rows[-1:], False), ("prev", rows[:1], True)):
            if exists[relation]:
                values = [value for row in edge for value in key_of(row, names)]
                text = Cursor(tuple(values), backwards).encode(self.fingerprint)
                links[relation] = replace_query_param(self.here, "cursor", text)
        return links

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        return Response(data, headers=self.headers())

    def headers(self) -> dict[str, str]:
        """`Link` of a page, and `X-Total-Count` of a list that was counted to its end."""
        headers = {}
        if self.links:
            headers["Link"] = link_header(self.links)
        if self.total is not None:
            headers["X-Total-Count"] = str(self.total)
        return headers


def link_header(links: Mapping[str, str]) -> str:
    """The value of `Link` for URLs by relation (RFC 8288)."""
    return ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links.items())


def queryset_of(listed: Rows) -> QuerySet[Any, Any]:
    """The queryset of a list."""
    return listed.queryset if isinstance(listed, Listing) else listed


def ordering_of(listed: Rows, limit: int) -> list[str]:
    """The names of the columns that order a list, of which a page of so many rows is read."""
    if isinstance(listed, Listing):
        return listed.ordering(limit + 1)
    return [str(name) for name in listed.query.order_by or listed.model._meta.ordering or ()]


def fetch_page(listed: Rows, names: Sequence[str], cursor: Cursor | None, limit: int) -> tuple[list[Any], bool]:
    """At most `limit` rows from the cursor on, and whether more rows follow in the cursor's direction."""
    if cursor is None and isinstance(listed, Listing):
        rows = listed.beginning(limit + 1)
        return rows[:limit], len(rows) > limit
    ordering, queryset = list(names), queryset_of(listed)
    if cursor is not None:
        if cursor.backwards:
            ordering = [name[1:] if name.startswith("-") else f"-{name}" for name in names]
        queryset = queryset.order_by(*ordering)
        if cursor.values:
            queryset = queryset.filter(rows_after(ordering, cursor.values))
    rows = list(queryset[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return (rows[::-1] if cursor is not None and cursor.backwards else rows), more


def all_parts(listed: Rows, *, at_once: int) -> Iterator[list[Any]]:
    """All rows of a list with an ordering, in parts; see `later_parts`."""
    names = ordering_of(listed, at_once)
    rows, more = fetch_page(listed, names, None, at_once)
    yield rows
    if more:
        yield from later_parts(queryset_of(listed), names, rows[-1], at_once=at_once)


def later_parts(
    queryset: QuerySet[Any, Any],
    names: Sequence[str],
    last: Any,  # noqa: ANN401 - a model or a dict
    *,
    at_once: int,
) -> Iterator[list[Any]]:
    """The rows after the row `last` in parts, each in a statement of its own when it is asked for.

    A cursor of the database would do with one statement. But it needs a transaction that stays open as long as the
    client reads, and poolers in transaction mode have none. So a row that moves meanwhile may come twice or not at all;
    no other row does.
    """
    more = True
    while more:
        rows, more = fetch_page(queryset, names, Cursor(key_of(last, names)), at_once)
        if rows:
            last = rows[-1]
            yield rows


def bounded_count(queryset: QuerySet[Any, Any], *, most: int) -> int | None:
    """The number of rows; None if there are more than `most`."""
    number = queryset.order_by().values("pk")[: most + 1].count()
    return number if number <= most else None


def rows_after(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """The condition for rows after the row with these ordering values, in this ordering."""
    condition = Q()
    for name, value in reversed(list(zip(ordering, values, strict=True))):
        field, comparison = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        strictly = Q(**{f"{field}__{comparison}": value})
        # `at_least` follows from the rest; with it the database starts its index scan at the right place.
        at_least = Q(**{f"{field}__{comparison}e": value})
        condition = at_least & (strictly | condition) if condition else strictly
    return condition


def list_fingerprint(request: Request, names: Sequence[str]) -> str:
    """A digest that identifies a list: its path, its filters and its ordering."""
    filters = sorted((name, values) for name, values in parameters_of(request).lists() if name not in PRESENTATION)
    return hashlib.sha256(repr((request.path, filters, list(names))).encode()).hexdigest()[:12]


def key_of(row: Any, names: Sequence[str]) -> tuple[Any, ...]:  # noqa: ANN401 - a model or a dict
    """The ordering values of a row."""
    return tuple(value_of(row, name.lstrip("-")) for name in names)


def value_of(row: Any, name: str) -> Any:  # noqa: ANN401 - a model or a dict
    """One ordering value of a row."""
    return row[name] if isinstance(row, dict) else getattr(row, name)
