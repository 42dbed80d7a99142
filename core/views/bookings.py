"""Bookings over HTTP: parse, call a verb, render."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.html import is_html_input

from core import errors, lifecycle
from core.api.exception_handler import flat_error
from core.api.fields import KeyField
from core.api.idempotency import idempotent
from core.api.lists import RowsMixin
from core.api.query import Parameters, ordered
from core.api.views import ApiView, TaggedMixin, found
from core.choices import Scope
from core.errors import BookingError
from core.exports.tables import BOOKINGS, OWN_BOOKINGS, Table
from core.exports.views import ExportedListMixin
from core.lifecycle import Changes
from core.models import Booking
from core.permissions import IsOwnerOrStaff
from core.prepared import KEY, MOMENT, Listing, prepared
from core.querysets import BookingQuerySet
from core.record.acts import Act
from core.record.kinds import Channel
from core.serializers import (
    BookingListParameters,
    BookingParameters,
    BookingSerializer,
    ScopeParameters,
)

# The lookups of the query parameters that compare with a column.
COMPARISONS = {
    "resource": "resource_id",
    "status": "status__in",
    "start_after": "start_time__gte",
    "start_before": "start_time__lt",
    "end_after": "end_time__gt",
    "end_before": "end_time__lte",
    "user": "user_id",
    "series": "series_id",
}


class BookingViewSet(ExportedListMixin, ApiView, TaggedMixin, viewsets.GenericViewSet):
    """The caller's bookings; for staff every booking."""

    about = "The caller's bookings; for staff every booking."
    abouts: ClassVar = {"check": "Tries a new booking, or a change of booking `id`, and stores nothing."}
    serializer_class = BookingSerializer
    permission_classes = (IsOwnerOrStaff,)
    lookup_value_regex = "[0-9]+"
    queries: ClassVar = {"list": BookingListParameters, "retrieve": BookingParameters}
    write_queries: ClassVar = dict.fromkeys(("update", "partial_update", "destroy", "check"), ScopeParameters)
    queryset = Booking.objects.all()

    def get_object(self) -> Booking:
        """The booking, looked up among all; the permission then decides."""
        booking = found(booking_in_full.first(pk=self.key))
        self.check_object_permissions(self.request, booking)
        return booking

    def get_serializer_class(self) -> type[BaseSerializer]:
        """The serializer, with what the caller asks for; that of the table for a file."""
        if self.file_form is not None:
            return self.exported().serializer
        words = self.parameters.get("include")
        return BookingSerializer.including(frozenset(words)) if words else BookingSerializer

    def exported(self) -> Table:
        return BOOKINGS if self.caller.is_staff else OWN_BOOKINGS

    def listed(self) -> QuerySet[Booking] | Listing[Any]:
        """The rows of the list."""
        owner = None if self.caller.is_staff else self.caller.pk
        serializer = cast(type[RowsMixin], self.get_serializer_class())
        return asked_bookings(self.parameters, serializer=serializer, owner=owner, now=self.now)

    @property
    def caller(self) -> User:
        """The signed-in user; `permission_classes` refuse anonymous callers."""
        return cast(User, self.request.user)

    @property
    def act(self) -> Act:
        """The act of this request."""
        return Act.of(self.request, now=self.now, channel=Channel.API)

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
        fields = self.sent_fields(booking, partial=partial)
        scope = Scope(self.parameters.get("scope") or Scope.THIS)
        if booking is None:
            if scope != Scope.THIS:
                raise errors.NotInSeries
            return book_as_sent(fields, act=self.act, dry_run=dry_run)
        override, act = fields.pop("override", None) or (), replace(self.act, reason=fields.pop("reason", ""))
        changes, check = Changes(**fields), self.version_check()
        how: dict[str, Any] = {"act": act, "override": override, "check": check, "dry_run": dry_run}
        if scope == Scope.THIS:
            return lifecycle.change(booking, changes=changes, **how)
        reset = bool(self.parameters["reset_exceptions"])
        return lifecycle.change_dates(booking, scope=scope, changes=changes, reset_exceptions=reset, **how)

    def sent_fields(self, booking: Booking | None, *, partial: bool) -> dict[str, Any]:
        """The validated fields of the body.

        Raises:
            ValidationError: For a bad value, an unknown field or a body that is no object.
        """
        request, change = self.request, booking is not None
        if type(request.data) is dict:
            reader = BookingSerializer.reader(by_staff=request.user.is_staff, of_change=change, partial=partial)
            return dict(reader.run_validation(request.data))
        serializer = self.get_serializer(booking, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: str) -> Response:
        """Cancels the booking, and with it the dates of its series that `scope` names; the rows stay."""
        booking, scope, check = self.get_object(), Scope(self.parameters["scope"]), self.version_check()
        if scope == Scope.THIS:
            lifecycle.cancel(booking, act=self.act, check=check)
        else:
            lifecycle.cancel_dates(booking, scope=scope, act=self.act, check=check)
        return Response(status=204)


def book_as_sent(fields: Mapping[str, Any], *, act: Act, dry_run: bool = False) -> Booking:
    """Books for the caller, or for the `user` that staff name.

    Args:
        fields: The validated fields of a body.
        act: The act, without its reason.
        dry_run: True: try it and store nothing.

    Raises:
        BookingError: Of the first rule that the booking breaks.
    """
    values = dict(fields)
    user_id, reason, override = (values.pop(name, None) for name in ("user_id", "reason", "override"))
    user = lifecycle.find_user(user_id) if user_id else cast(User, act.by)
    act = replace(act, reason=reason or "")
    return lifecycle.book(user=user, act=act, override=override or (), dry_run=dry_run, **values)


def asked_bookings(
    asked: Parameters, *, serializer: type[RowsMixin], owner: int | None, now: datetime
) -> QuerySet[Booking] | Listing[Any]:
    """The bookings of a list as dicts; those of a search are not prepared, because it may ask for the matches before.

    Args:
        asked: The values of `BookingListParameters`.
        serializer: Its columns are read.
        owner: The id of the user whose bookings they are; None for those of all users.
        now: The present moment.
    """
    values = {name: asked[name] for name in COMPARISONS}
    bookings = Listing(
        listed_bookings,
        **{**values, "status": tuple(sorted(asked["status"])) if asked["status"] else None},
        serializer=serializer,
        owner=owner,
        upcoming=asked["upcoming"],
        now=now,
        ordering=asked["ordering"],
    )
    if not asked["search"]:
        return bookings
    every = cast(BookingQuerySet, bookings.queryset)
    return every.mentioning(asked["search"], of_user=("username",) if owner is None else ())


@prepared(
    owner=KEY,
    resource=KEY,
    user=KEY,
    series=KEY,
    start_after=MOMENT,
    start_before=MOMENT,
    end_after=MOMENT,
    end_before=MOMENT,
    now=MOMENT,
)
def listed_bookings(
    *,
    serializer: type[RowsMixin],
    owner: int | None,
    upcoming: bool | None,
    now: datetime,
    ordering: str | None,
    most: int | None,
    **compared: object,
) -> QuerySet[Booking]:
    """The bookings of a list as dicts.

    Args:
        serializer: Its columns are read.
        owner: The id of the user whose bookings they are; None for those of all users.
        upcoming: True for bookings that end later than `now`, False for those that have ended; None for both.
        now: The present moment.
        ordering: As in the query string.
        most: How many rows are read at most; None for all.
        compared: The values of the parameters in `COMPARISONS`; None for one that is not asked.
    """
    bookings = Booking.objects.owned_by(owner)
    for name, value in compared.items():
        if value is not None:
            bookings = bookings.filter(**{COMPARISONS[name]: value})
    if upcoming is not None:
        bookings = bookings.upcoming(now) if upcoming else bookings.over(now)
    return serializer.rows(ordered(bookings, ordering))[:most]


@prepared(pk=KEY)
def booking_in_full(*, pk: int) -> QuerySet[Booking]:
    """The booking, with its user and its resource."""
    return Booking.objects.in_full().filter(pk=pk)


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
