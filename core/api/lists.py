"""Lists straight from the database's rows, shaped by the same fields as a single object."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Self

from django.db.models import F, QuerySet
from django.db.models.query import BaseIterable
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.etags import with_tag_of_body


class RowIterable(BaseIterable):
    """What `values()` gives, made faster: Django looks each value up by its number."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        query = self.queryset.query
        names = list(query.selected)
        found = query.get_compiler(self.queryset.db).results_iter(
            chunked_fetch=self.chunked_fetch, chunk_size=self.chunk_size
        )
        return (dict(zip(names, row, strict=True)) for row in found)


class RowsMixin:
    """For a serializer: the rows of a list, without an object for each."""

    @classmethod
    def rows(cls, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The queryset with one dict for each row, whose keys are the fields that a single object shows."""
        aliases, names = cls.columns()
        rows = queryset.annotate(**aliases).values(*names)
        rows._iterable_class = RowIterable
        return rows

    @classmethod
    @cache
    def columns(cls: type[Self]) -> tuple[dict[str, F], list[str]]:
        """What to ask the database for: aliases for fields that come from elsewhere, and all names in order."""
        fields: dict[str, serializers.Field] = cls().fields  # type: ignore[attr-defined]
        shown = {name: "__".join(field.source_attrs) for name, field in fields.items() if not field.write_only}
        return {name: F(path) for name, path in shown.items() if path not in (name, f"{name}_id")}, list(shown)


class RowListMixin:
    """A list as a plain array, straight from the database's rows."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """All rows, or the page asked for."""
        queryset = self.narrow(self.get_queryset())  # type: ignore[attr-defined]
        rows = self.get_serializer_class().rows(queryset)  # type: ignore[attr-defined]
        response = self.get_paginated_response(self.paginate_queryset(rows))  # type: ignore[attr-defined]
        response.add_post_render_callback(break_cycle)
        return with_tag_of_body(request, response)

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that the parameters ask for, in the order that they ask for."""
        return queryset


def break_cycle(rendered: Response) -> None:
    """Break the reference cycle between an answer and its view, so that the rows are freed once they are sent.

    Otherwise they wait for the garbage collector together with the rows of many further requests: a worker that answers
    long lists then takes three times the memory.
    """
    rendered.renderer_context["view"].response = None
    rendered.renderer_context = None
