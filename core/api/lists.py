"""Lists straight from database rows, with the same fields as a single object."""

import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from asgiref.sync import sync_to_async
from django.db.models import F, QuerySet
from django.db.models.query import BaseIterable
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.etags import with_tag_of_body
from core.api.pagination import KeyPagination
from core.api.query import Parameters
from core.api.rendering import JSONRenderer
from core.prepared import Listing

if TYPE_CHECKING:
    SerializerBase = serializers.Serializer
    ViewBase = generics.GenericAPIView

    class RenderedResponse(Response):
        """A response with the context that `APIView.finalize_response` adds."""

        renderer_context: Any
else:
    SerializerBase = ViewBase = object

logger = logging.getLogger(__name__)


class RowIterable(BaseIterable):
    """Yields the dicts of `values()`, faster: Django's own class looks up each value by its index."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        query = self.queryset.query
        names = list(query.selected or ())
        rows = query.get_compiler(self.queryset.db).results_iter(
            chunked_fetch=self.chunked_fetch, chunk_size=self.chunk_size
        )
        return (dict(zip(names, row, strict=True)) for row in rows)


class RowsMixin(SerializerBase):
    """For a serializer: reads the rows of a list as dicts, without an object for each row.

    Attributes:
        live_fields: The names of the fields that are not stored in the row; see `core.api.etags`.
        hidden: Columns and annotations that rows have beside the fields; the view takes them out of its answer.
    """

    live_fields: ClassVar[Collection[str]] = ()
    hidden: ClassVar[Sequence[str]] = ()

    @classmethod
    def rows(cls, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The queryset with a dict for each row, whose keys are the fields of a single object."""
        aliases, names = cls.columns()
        rows = queryset.annotate(**aliases).values(*names, *(name for name in cls.hidden if name not in names))
        rows._iterable_class = RowIterable
        return rows

    @classmethod
    @cache
    def columns(cls: type[Self]) -> tuple[dict[str, F], list[str]]:
        """The aliases of fields that have another column's name or table, and the names of all fields in order."""
        fields = cls().fields
        paths = {name: "__".join(field.source_attrs) for name, field in fields.items() if not field.write_only}
        # A column of the field's own name needs no alias. Nor does `user` for `user_id`: `values("user")` reads the id.
        return {name: F(path) for name, path in paths.items() if path not in (name, f"{name}_id")}, list(paths)


class PlainRowsMixin(RowsMixin):
    """For a serializer whose fields show the attributes of a row as they are; no serializer is built to show a row."""

    @classmethod
    def fields_of(cls, row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of any model
        """The fields of a single row."""
        return {name: read(row) for name, read in cls.attributes().items()}

    @classmethod
    @cache
    def attributes(cls) -> dict[str, Callable[[Any], Any]]:
        """What reads each field of a row."""
        shown = ((name, field) for name, field in cls().fields.items() if not field.write_only)
        return {name: attrgetter(".".join(field.source_attrs)) for name, field in shown}


class StreamedList(StreamingHttpResponse):
    """A long list in parts, each read when the client has taken the one before."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts under ASGI, from the thread of the view; Django itself would collect all of them first."""
        next_part = sync_to_async(partial(next, cast(Iterator[bytes], self.streaming_content), b""))
        while part := await next_part():
            yield part


class RowListMixin(ViewBase):
    """For a view: answers a list as a plain array of database rows.

    A whole list that is longer than `MOST_AT_ONCE` is streamed: it has no `ETag`, which only the whole body would give.
    """

    parameters: Parameters

    # The stubs of the framework know no answer but its own.
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the framework's own
        rows, paginator = self.complete(self.read_page()), cast(KeyPagination, self.paginator)
        if paginator.rest is not None:
            parts = self.json_parts(array_items(rows), paginator.rest)
            return StreamedList(parts, content_type="application/json", headers=paginator.headers())
        response = self.get_paginated_response(rows)
        response.add_post_render_callback(break_cycle)
        return with_tag_of_body(request, response)

    def read_page(self) -> Sequence[Any]:
        """The rows of the answer, or of its first part."""
        return cast(KeyPagination, self.paginator).begin(self.listed(), self.request, self.parameters)

    def listed(self) -> QuerySet[Any] | Listing[Any]:
        """The rows of the list as dicts; a prepared list where it is read often."""
        return cast(type[RowsMixin], self.get_serializer_class()).rows(self.narrow(self.get_queryset()))

    def complete(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as the answer shows them."""
        return rows

    def json_parts(self, first: bytes, rest: Iterable[Sequence[Any]]) -> Iterator[bytes]:
        """The same bytes as one array of all rows, in parts.

        An error between the parts breaks the connection: the client gets neither the end of the array nor that of the
        body, and so cannot take the answer for whole.

        Args:
            first: The rows of the first part, from `array_items`.
            rest: The rows of the later parts.
        """
        yield b"[" + first
        yield from logged((b"," + array_items(self.complete(rows)) for rows in rest), self.request._request)
        yield b"]"

    def narrow(self, queryset: Any) -> QuerySet[Any]:  # noqa: ANN401 - the queryset class of the view's model
        """The rows that match the filters of the query string, in its ordering."""
        return queryset


def logged(parts: Iterable[bytes], request: HttpRequest) -> Iterator[bytes]:
    """The parts of an answer; an error between them, which the client cannot be told, gets a line in the log."""
    try:
        yield from parts
    except Exception:
        logger.error("%s broke off (request=%s)", request.path, getattr(request, "request_id", "-"))
        raise


def array_items(rows: Sequence[Any]) -> bytes:
    """The rows as a JSON array without its brackets."""
    return JSONRenderer().render(rows)[1:-1]


def break_cycle(rendered: "RenderedResponse") -> None:
    """Breaks the reference cycle between a response and its view, so that the rows are freed after the response.

    Otherwise the rows stay in memory until the garbage collector runs, together with the rows of many later requests:
    a worker that answers long lists then takes three times the memory.
    """
    rendered.renderer_context["view"].response = None
    rendered.renderer_context = None
