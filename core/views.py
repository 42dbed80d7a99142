"""The root, resources and bookings over HTTP: parse, write, render. Every write of a booking calls a verb."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.html import is_html_input
from rest_framework.views import APIView

from core import lifecycle, offers, rules
from core.api.exception_handler import flat_error
from core.api.fields import KeyField
from core.api.idempotency import idempotent
from core.api.lists import RowListMixin
from core.api.query import ordered
from core.api.views import ApiView, TaggedMixin
from core.availability import timelines
from core.errors import BookingError
from core.intervals import Interval
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.permissions import IsAdminOrReadOnly, IsOwnerOrStaff
from core.querysets import BookingQuerySet, ResourceQuerySet, is_bookable, locked
from core.record.acts import Act
from core.record.kinds import Channel
from core.serializers import (
    BookingListParameters,
    BookingParameters,
    BookingSerializer,
    BookingWithStaffNoteSerializer,
    ResourceListParameters,
    ResourceParameters,
    ResourceSerializer,
    usual_window,
)
from core.terms import NO_POLICY, attach_terms, terms_of

# The lookups of the query parameters that compare with a column.
COMPARISONS = {
    "resource": "resource_id",
    "status": "status__in",
    "start_after": "start_time__gte",
    "start_before": "start_time__lt",
    "end_after": "end_time__gt",
    "end_before": "end_time__lte",
    "user": "user_id",
}


class RootView(ApiView, APIView):
    """The collections of this API."""

    about = "The collections of this API."
    permission_classes = (AllowAny,)
    addresses: ClassVar = {
        "resources": "resource-list",
        "bookings": "booking-list",
        "availability": "availability",
        "calendar_feeds": "calendar-feed-list",
        "users": "user-list",
        "me": "user-me",
        "preferences": "preferences",
        "profile_picture": "profile-picture",
        "token_login": "login",
        "jwt_create": "jwt-create",
        "schema": "schema",
        "docs": "docs",
    }

    def get(self, request: Request) -> Response:
        """Lists the collections."""
        return Response({name: reverse(address, request=request) for name, address in self.addresses.items()})


class ResourceViewSet(ApiView, TaggedMixin, RowListMixin, viewsets.ModelViewSet):
    """Resources. Everybody may read, staff may write."""

    about = "Resources. Everybody may read, staff may write."
    serializer_class = ResourceSerializer
    permission_classes = (IsAdminOrReadOnly,)
    lookup_value_regex = "[0-9]+"
    query = ResourceParameters
    queries: ClassVar = {"list": ResourceListParameters}
    public = True
    queryset = Resource.objects.all()
    # The resources with terms that could be booked for the window; None until somebody asks.
    allowed: Collection[int] | None = None
    next_free: Mapping[int, datetime | None] = {}

    def get_queryset(self) -> QuerySet[Resource]:
        """Resources with their availability in the wanted window, or from now on."""
        resources = Resource.objects.with_house().with_availability(self.shown_window)
        if "next_free" not in self.includes:
            return resources
        return resources.with_next_free(window=rules.offered_window(now=self.now))

    def get_object(self) -> Resource:
        """The resource, with what its terms add to its row."""
        resource: Resource = super().get_object()
        self.attach([resource])
        for name, value in self.by_terms(resource).items():
            setattr(resource, name, value)
        return resource

    def read_page(self) -> Sequence[Any]:
        """The rows of a list. Terms cost three further statements, and no terms cost none."""
        rows = super().read_page()
        ruled = [row["id"] for row in rows if row["has_terms"] or row["house_has_terms"]]
        if ruled and self.parameters["available"] is not None and self.window is not None:
            free = Resource.objects.with_any_terms().filter(is_available=True).free_during(self.window)
            self.allowed = [each.pk for each in offers.allowing(self.window, list(free), now=self.now)]
            rows = super().read_page()
            ruled = [row["id"] for row in rows if row["has_terms"] or row["house_has_terms"]]
        resources = {each.pk: each for each in Resource.objects.with_house().filter(pk__in=ruled)} if ruled else {}
        self.attach(resources.values())
        for row in rows:
            del row["has_terms"], row["house_has_terms"]
            if row["id"] in resources:
                row |= self.by_terms(resources[row["id"]])
            else:
                row |= self.without_terms
        return rows

    def attach(self, resources: Collection[Resource]) -> None:
        """Attaches the terms, and works out from when on each resource could be booked, when that is asked."""
        attach_terms(resources, since=min(self.shown_window.start, self.now))
        self.next_free = timelines.next_free(resources, now=self.now) if "next_free" in self.includes else {}

    def by_terms(self, resource: Resource) -> dict[str, Any]:
        """What the terms change in the answer, or add to it."""
        shown: dict[str, Any] = {}
        if timelines.is_closed_throughout(resource, self.shown_window):
            shown["availability_status"] = "unavailable"
        if resource.pk in self.next_free:
            shown["next_free"] = self.next_free[resource.pk]
        if "policy" in self.includes:
            shown["policy"] = asdict(terms_of(resource).policy)
        if "open" in self.includes:
            shown["open"] = timelines.open_json(resource, self.shown_window)
        return shown

    @cached_property
    def without_terms(self) -> dict[str, Any]:
        """What a resource without terms adds to the answer."""
        shown: dict[str, Any] = {"policy": asdict(NO_POLICY), "open": [self.shown_window.as_json()]}
        return {name: value for name, value in shown.items() if name in self.includes}

    def get_serializer_class(self) -> type[BaseSerializer]:
        """The serializer, with what `include` adds."""
        return ResourceSerializer.including(self.includes)

    @property
    def window(self) -> Interval | None:
        """The wanted window, or None."""
        start, end = self.parameters.get("start"), self.parameters.get("end")
        return Interval(start, end) if start is not None and end is not None else None

    @cached_property
    def shown_window(self) -> Interval:
        """The window of the answer: the wanted one, or the usual one."""
        return self.window or usual_window(self.now)

    @property
    def includes(self) -> frozenset[str]:
        """What the caller asks to add."""
        return frozenset(self.parameters.get("include") or ())

    def narrow(self, queryset: ResourceQuerySet) -> QuerySet[Resource]:
        asked, resources = self.parameters, queryset
        if asked["min_capacity"] is not None:
            resources = resources.filter(capacity__gte=asked["min_capacity"])
        if asked["search"]:
            resources = resources.mentioning(asked["search"])
        if asked["available"] is not None and self.window is not None:
            resources = self.narrow_by_window(resources, self.window, available=asked["available"])
        return ordered(resources, asked["ordering"])

    def narrow_by_window(self, resources: ResourceQuerySet, window: Interval, *, available: bool) -> ResourceQuerySet:
        """Those that could be booked for the window, or those that could not.

        The query knows no terms. So the first look leaves all resources with terms in, and the second takes `allowed`.
        """
        bookable = is_bookable(window, window=rules.window(now=self.now))
        by_query = bookable if available else ~bookable
        has_terms = Q(has_terms=True) | Q(house_has_terms=True)
        if self.allowed is None:
            return resources.filter(by_query | has_terms)
        allowed = Q(pk__in=self.allowed)
        return resources.filter((by_query & ~has_terms) | (has_terms & (allowed if available else ~allowed)))

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.kwargs["pk"] = serializer.save().pk
        made = self.get_object()
        location = reverse("resource-detail", args=[made.pk], request=request)
        return self.answer(made, status=201, headers={"Location": location})

    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        row = self.get_object()
        with transaction.atomic():
            self.require_version(row)
            serializer = self.get_serializer(row, data=request.data, partial=partial)
            serializer.is_valid(raise_exception=True)
            serializer.save()
        return self.answer(self.get_object())

    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        with transaction.atomic():
            self.require_version(row)
            lifecycle.delete_resource(row)
        return Response(status=204)

    def require_version(self, row: Resource) -> None:
        """Locks the row and checks `If-Match`."""
        if locked(Resource.objects.filter(pk=row.pk)).first() is None:
            raise NotFound
        check = self.version_check()
        if check is not None:
            check(self.get_object())


class BookingViewSet(ApiView, TaggedMixin, RowListMixin, viewsets.GenericViewSet):
    """The caller's bookings; for staff every booking."""

    about = "The caller's bookings; for staff every booking."
    abouts: ClassVar = {"check": "Tries a new booking, or a change of booking `id`, and stores nothing."}
    serializer_class = BookingSerializer
    permission_classes = (IsOwnerOrStaff,)
    lookup_value_regex = "[0-9]+"
    queries: ClassVar = {"list": BookingListParameters, "retrieve": BookingParameters}
    queryset = Booking.objects.all()

    def get_queryset(self) -> QuerySet[Booking]:
        """A list shows the visible bookings. One booking is looked up among all; the permission then decides."""
        if self.action == "list":
            return Booking.objects.visible_to(self.request.user)
        return Booking.objects.in_full()

    def get_serializer_class(self) -> type[BaseSerializer]:
        """The serializer, with the note of staff when asked."""
        return BookingWithStaffNoteSerializer if self.parameters.get("include") else BookingSerializer

    def narrow(self, queryset: BookingQuerySet) -> QuerySet[Booking]:
        asked, bookings = self.parameters, queryset
        for name, comparison in COMPARISONS.items():
            if asked[name] is not None:
                bookings = bookings.filter(**{comparison: asked[name]})
        if asked["upcoming"] is not None:
            bookings = bookings.upcoming(self.now) if asked["upcoming"] else bookings.over(self.now)
        if asked["search"]:
            bookings = bookings.mentioning(asked["search"], usernames=self.request.user.is_staff)
        return ordered(bookings, asked["ordering"])

    @property
    def caller(self) -> User:
        """The signed-in user; `permission_classes` refuse anonymous callers."""
        return cast(User, self.request.user)

    @property
    def act(self) -> Act:
        """The act of this request."""
        request_id = getattr(self.request, "request_id", "")
        return Act(by=self.caller, now=self.now, channel=Channel.API, request_id=request_id)

    def create(self, request: Request) -> Response:
        """Creates one booking for each `Idempotency-Key`."""
        return idempotent(request, self.book, now=self.now)

    def book(self) -> Response:
        """Creates a booking from the body."""
        request = self.request
        booking = self.create_or_change(request)
        location = reverse("booking-detail", args=[booking.pk], request=request)
        return self.answer(booking, status=201, headers={"Location": location})

    @action(["post"], detail=False)
    def check(self, request: Request) -> Response:
        """Checks a new booking, or a change of booking `id`, without saving."""
        booking_id = request.data.get("id") if isinstance(request.data, Mapping) else None
        booking = None
        if booking_id is not None and not (booking_id == "" and is_html_input(request.data)):
            self.kwargs["pk"] = read_key(booking_id)
            booking = self.get_object()
        try:
            self.create_or_change(request, booking, partial=booking is not None, dry_run=True)
        except (BookingError, APIException) as error:
            refusal = flat_error(error, self.get_exception_handler_context())
            verdict = {"ok": False, "status": refusal.status_code}
            # The status code replaces a field error named `status`.
            return Response({**verdict, **refusal.data, **verdict})
        return Response({"ok": True})

    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        changed = self.create_or_change(request, self.get_object(), partial=partial)
        return self.answer(changed)

    def create_or_change(
        self, request: Request, booking: Booking | None = None, *, partial: bool = False, dry_run: bool = False
    ) -> Booking:
        """Creates or changes a booking from the body."""
        serializer = self.get_serializer(booking, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        user_id, reason = fields.pop("user_id", None), fields.pop("reason", "")
        act = replace(self.act, reason=reason)
        if booking is not None:
            changes = Changes(**fields)
            return lifecycle.change(booking, changes=changes, act=act, check=self.version_check(), dry_run=dry_run)
        user = lifecycle.find_user(user_id) if user_id else self.caller
        return lifecycle.book(user=user, act=act, dry_run=dry_run, **fields)

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: str) -> Response:
        """Cancels the booking; the row stays."""
        lifecycle.cancel(self.get_object(), act=self.act, check=self.version_check())
        return Response(status=204)


def read_key(value: object) -> int:
    """The id of a booking in a body.

    Raises:
        ValidationError: When the value is not an id.
    """
    try:
        key: int = KeyField().run_validation(value)
    except ValidationError as error:
        raise ValidationError({"id": error.detail}) from error
    return key
