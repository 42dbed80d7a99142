"""Policies, opening hours, exceptions, open spans and quotas over HTTP."""

from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from core.api.etags import tag_of, with_tag, with_tag_of_body
from core.api.parsing import JSONParser
from core.api.query import ListParameters
from core.api.views import ApiView, TaggedMixin
from core.intervals import Interval
from core.models import Resource
from core.permissions import IsAdminOrReadOnly
from core.policies import writing
from core.policies.allowances import allowances_of
from core.policies.fitting import no_longer_fit
from core.policies.models import OpeningException, OpeningHours, Quota, ResourcePolicy
from core.policies.serializers import (
    AllowanceSerializer,
    OpeningExceptionSerializer,
    OpeningHoursSerializer,
    OpenParameters,
    PolicySerializer,
    QuotaSerializer,
    WeekSerializer,
)
from core.querysets import POLICY
from core.terms import attach_terms, terms_of


class RulesMixin(ApiView, TaggedMixin):
    """For a view of rules: each answer to a write tells how many bookings no longer fit."""

    permission_classes = (IsAdminOrReadOnly,)
    public = True
    tells_unfit = True

    def answer_written(self, row: Any, number: int, **options: Any) -> Response:  # noqa: ANN401
        """The response with a row, the number of bookings that no longer fit, and the tag of the row."""
        fields = self.get_serializer(row).data
        response = Response({**fields, "no_longer_fit": number}, **options)
        return with_tag(self.request, response, tag_of(fields, ()))

    def answer_deleted(self, number: int) -> Response:
        """The response without a body that tells how many bookings no longer fit."""
        return Response(status=204, headers={"X-No-Longer-Fit": str(number)})


class PolicyViewSet(RulesMixin, viewsets.GenericViewSet):
    """The limits of a resource. Everybody may read, staff may write."""

    about = "The limits of a resource. Everybody may read, staff may write."
    serializer_class = PolicySerializer
    queryset = Resource.objects.select_related("policy")

    def get_object(self) -> ResourcePolicy:
        """The policy of the resource; one without any limit where none is stored."""
        resource = super().get_object()
        return getattr(resource, "policy", None) or ResourcePolicy(resource=resource)

    def update(self, request: Request, pk: str) -> Response:
        """Writes the whole policy: what is left out is null."""
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data)
        serializer.is_valid(raise_exception=True)
        values = {name: serializer.validated_data.get(name) for name in POLICY}
        stored = writing.set_policy(row.resource_id, values, check=self.version_check())
        return self.answer_written(stored, no_longer_fit(now=self.now, resource_id=row.resource_id))

    def destroy(self, request: Request, pk: str) -> Response:
        resource_id = self.get_object().resource_id
        writing.delete_policy(resource_id, check=self.version_check())
        return self.answer_deleted(no_longer_fit(now=self.now, resource_id=resource_id))


class OpeningHoursViewSet(RulesMixin, viewsets.GenericViewSet):
    """The opening hours of a resource, as a whole week. Everybody may read, staff may write."""

    about = "The opening hours of a resource, as a whole week. Everybody may read, staff may write."
    serializer_class = WeekSerializer
    parser_classes = (JSONParser,)
    queryset = Resource.objects.only("pk").prefetch_related("opening_hours")

    def retrieve(self, request: Request, pk: str) -> Response:
        """Lists the periods of the week."""
        fields = self.get_serializer(self.week()).data
        return with_tag(request, Response(fields["opening_hours"]), tag_of(fields, ()))

    def week(self) -> list[OpeningHours]:
        """The stored week of the resource."""
        return list(self.get_object().opening_hours.all())

    def update(self, request: Request, pk: str) -> Response:
        """Writes the whole week from a list of periods."""
        self.week()
        sent = OpeningHoursSerializer(data=request.data, many=True)
        sent.is_valid(raise_exception=True)
        resource_id = int(pk)
        stored = writing.set_week(resource_id, sent.validated_data, check=self.version_check())
        return self.answer_written(stored, no_longer_fit(now=self.now, resource_id=resource_id))


class OpeningExceptionViewSet(RulesMixin, viewsets.GenericViewSet):
    """The exceptions of all resources. Everybody may read, staff may write."""

    about = "Days on which all resources have other hours. Everybody may read, staff may write."
    detail_name = "opening-exception-detail"
    serializer_class = OpeningExceptionSerializer
    parser_classes = (JSONParser,)
    queries: ClassVar = {"list": ListParameters}
    queryset = OpeningException.objects.all()

    @property
    def resource_id(self) -> int | None:
        """The resource of the address; None for all resources."""
        asked = self.kwargs.get("resource_id")
        return None if asked is None else get_object_or_404(Resource.objects.only("pk"), pk=asked).pk

    def get_queryset(self) -> QuerySet[OpeningException]:
        return OpeningException.objects.filter(resource=self.resource_id)

    def list(self, request: Request, **kwargs: str) -> Response:
        """Lists the exceptions, earliest first."""
        page = self.paginate_queryset(self.get_queryset())
        response = self.get_paginated_response(self.get_serializer(page, many=True).data)
        return with_tag_of_body(request, response)

    def create(self, request: Request, **kwargs: str) -> Response:
        resource_id = self.resource_id
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = writing.add_exception(resource_id, serializer.validated_data)
        location = reverse(self.detail_name, kwargs={**kwargs, "pk": made.pk}, request=request)
        return self.answer_written(made, self.unfit_near(made), status=201, headers={"Location": location})

    def partial_update(self, request: Request, **kwargs: str) -> Response:
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changed = writing.change_exception(row, serializer.validated_data, check=self.version_check())
        return self.answer_written(changed, self.unfit_near(row, changed))

    def destroy(self, request: Request, **kwargs: str) -> Response:
        row = self.get_object()
        writing.remove(row, check=self.version_check())
        return self.answer_deleted(self.unfit_near(row))

    def unfit_near(self, *exceptions: OpeningException) -> int:
        """How many bookings no longer fit: of the resource, or of all resources near the days of the exceptions."""
        resource_id = exceptions[0].resource_id
        days = (min(each.first_day for each in exceptions), max(each.last_day for each in exceptions))
        return no_longer_fit(now=self.now, resource_id=resource_id, days=days if resource_id is None else None)


class ResourceExceptionViewSet(OpeningExceptionViewSet):
    """The exceptions of one resource. Everybody may read, staff may write."""

    about = "Days on which the resource has other hours. Everybody may read, staff may write."
    detail_name = "resource-opening-exception-detail"


class OpenView(ApiView, APIView):
    """The spans in which a resource is open."""

    about = "The spans in which a resource is open."
    permission_classes = (AllowAny,)
    query = OpenParameters
    public = True

    def get(self, request: Request, pk: int) -> Response:
        window = Interval(self.parameters["start"], self.parameters["end"])
        resource = get_object_or_404(Resource.objects.with_house(), pk=pk)
        attach_terms([resource], since=window.start)
        return Response([span.as_json() for span in terms_of(resource).timetable.open_spans(window)])


class QuotaViewSet(ApiView, TaggedMixin, viewsets.GenericViewSet):
    """How much people may book; for staff."""

    about = "How much people may book; for staff."
    serializer_class = QuotaSerializer
    permission_classes = (IsAdminUser,)
    queries: ClassVar = {"list": ListParameters}
    lookup_value_regex = "[0-9]+"
    queryset = Quota.objects.all()

    def list(self, request: Request) -> Response:
        """Lists the quotas."""
        page = self.paginate_queryset(self.get_queryset())
        response = self.get_paginated_response(self.get_serializer(page, many=True).data)
        return with_tag_of_body(request, response)

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = writing.add_quota(serializer.validated_data)
        location = reverse("quota-detail", args=[made.pk], request=request)
        return self.answer(made, status=201, headers={"Location": location})

    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return self.answer(writing.change_quota(row, serializer.validated_data, check=self.version_check()))

    def destroy(self, request: Request, pk: str) -> Response:
        writing.remove(self.get_object(), check=self.version_check())
        return Response(status=204)


class AllowancesView(ApiView, APIView):
    """What the quotas leave to the caller."""

    about = "What the quotas leave to the caller."

    def get(self, request: Request) -> Response:
        found = allowances_of(cast(User, request.user), now=self.now)
        return Response(AllowanceSerializer(found, many=True).data)
