"""Lists straight from the database's rows, shaped by the same fields as a single object."""

from functools import cache
from typing import Any, Self

from django.db.models import F, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.conditional import with_tag_of_body


class RowsMixin:
    """For a serializer: the rows of a list, without an object for each."""

    @classmethod
    def rows(cls, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The queryset with one dict for each row, whose keys are the fields that a single object shows."""
        aliases, names = cls.columns()
        return queryset.annotate(**aliases).values(*names)

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
        queryset = self.filter_queryset(self.get_queryset())  # type: ignore[attr-defined]
        rows = self.get_serializer_class().rows(queryset)  # type: ignore[attr-defined]
        response = self.get_paginated_response(self.paginate_queryset(rows))  # type: ignore[attr-defined]
        response.add_post_render_callback(let_go)
        return with_tag_of_body(request, response)


def let_go(rendered: Response) -> None:
    """Untie an answer from its view, which holds it too.

    So the rows are freed once they are sent. Else they wait for the garbage collector, and with them those of many
    requests more: a worker that answers long lists takes three times the memory.
    """
    rendered.renderer_context["view"].response = None
    rendered.renderer_context = None
