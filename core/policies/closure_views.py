"""Closures over HTTP."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from core import lifecycle
from core.api.etags import with_tag_of_body
from core.api.idempotency import idempotent
from core.api.views import ApiView, TaggedMixin
from core.choices import OnConflict
from core.lifecycle import ClosureChanges
from core.models import Closure
from core.permissions import IsAdminOrReadOnly
from core.policies.closure_serializers import (
    ClosureListParameters,
    ClosureSerializer,
    ClosureTrialSerializer,
    preview_json,
)
from core.record.acts import Act
from core.record.kinds import Channel


class OnlyStaffClose(IsAdminOrReadOnly):
    """Anyone may read closures; only staff may write."""

    message = "Only staff may close resources."


class ClosureViewSet(ApiView, TaggedMixin, viewsets.GenericViewSet):
    """Times in which resources are closed."""

    about = "Times in which resources are closed. Everybody may read, staff may write."
    abouts: ClassVar = {"preview": "What a closure, or a change of closure `id`, would do; stores nothing."}
    serializer_class = ClosureSerializer
    permission_classes = (OnlyStaffClose,)
    lookup_value_regex = "[0-9]+"
    queries: ClassVar = {"list": ClosureListParameters}
    public = True
    queryset = Closure.objects.all()

    def get_queryset(self) -> QuerySet[Closure]:
        return ClosureSerializer.with_resources(Closure.objects.all())

    def get_serializer_class(self) -> type[BaseSerializer]:
        return ClosureTrialSerializer if self.action == "preview" else ClosureSerializer

    def list(self, request: Request) -> Response:
        """Lists the closures that match the filters, earliest first."""
        page = self.paginate_queryset(self.narrow(self.get_queryset()))
        response = self.get_paginated_response(self.get_serializer(page, many=True).data)
        return with_tag_of_body(request, response)

    def narrow(self, closures: QuerySet[Closure]) -> QuerySet[Closure]:
        """The closures that match the filters of the query string."""
        asked = self.parameters
        if asked["resource"] is not None:
            closures = closures.filter(resources=asked["resource"])
        if asked["start"] is not None:
            closures = closures.filter(start_time__lt=asked["end"], end_time__gt=asked["start"])
        if asked["upcoming"] is not None:
            is_over = {"end_time__lte": self.now}
            closures = closures.exclude(**is_over) if asked["upcoming"] else closures.filter(**is_over)
        return closures

    def create(self, request: Request) -> Response:
        """Closes resources, once for each `Idempotency-Key`."""
        return idempotent(request, self.close, now=self.now)

    def close(self) -> Response:
        """Closes resources as the body says."""
        values, on_conflict = self.read(self.get_serializer(data=self.request.data))
        made = lifecycle.close(**values, on_conflict=on_conflict, act=self.act)
        location = reverse("closure-detail", args=[made.pk], request=self.request)
        return self.answer(made, status=201, headers={"Location": location})

    @action(["post"], detail=False)
    def preview(self, request: Request) -> Response:
        """Tells what is in the way, and what each `on_conflict` would do."""
        values, _ = self.read(self.get_serializer(data=request.data))
        closure_id = values.pop("id", None)
        closure = get_object_or_404(Closure, pk=closure_id) if closure_id is not None else None
        span = {name: values[name] for name in ("resource_ids", "start_time", "end_time")}
        return Response(preview_json(lifecycle.preview(**span, now=self.now, closure=closure)))

    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        values, on_conflict = self.read(self.get_serializer(row, data=request.data, partial=True))
        changes, check = ClosureChanges(**values), self.version_check()
        changed = lifecycle.change_closure(row, changes=changes, on_conflict=on_conflict, act=self.act, check=check)
        return self.answer(changed)

    def destroy(self, request: Request, pk: str) -> Response:
        """Lifts the closure."""
        lifecycle.lift(self.get_object(), now=self.now, check=self.version_check())
        return Response(status=204)

    @property
    def act(self) -> Act:
        """The act of this request."""
        return Act.of(self.request, now=self.now, channel=Channel.API)

    def read(self, serializer: BaseSerializer) -> tuple[dict[str, Any], OnConflict]:
        """The values of a closure in a body, and what to do where bookings are in the way."""
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        if "resources" in values:
            values["resource_ids"] = values.pop("resources")
        return values, OnConflict(values.pop("on_conflict", OnConflict.REFUSE))
