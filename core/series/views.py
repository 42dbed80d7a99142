"""Series over HTTP: parse, call a verb, render."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from core import errors, lifecycle
from core.api.etags import tag_of, with_tag, with_tag_of_body
from core.api.exception_handler import flat_error
from core.api.idempotency import idempotent
from core.api.lists import RowListMixin
from core.api.query import QueryParameters
from core.api.views import ApiView, TaggedMixin, found
from core.choices import IfRefused
from core.errors import BookingError
from core.intervals import Interval
from core.lifecycle import Outcome, Repeat
from core.lifecycle.repeating import local_time
from core.models import Booking, Series, SkippedDate
from core.permissions import IsSeriesOwnerOrStaff
from core.record.acts import Act
from core.record.kinds import Channel
from core.recurrence import MOST_DATES, Rule, in_words
from core.series.serializers import (
    CancelSerializer,
    ChangedSeriesSerializer,
    NewSeriesSerializer,
    SeriesListParameters,
    SeriesSerializer,
    date_json,
    made_json,
    skipped_json,
)
from core.zones import moment_by_first_offset


class SeriesViewSet(RowListMixin, ApiView, TaggedMixin, viewsets.GenericViewSet):
    """The caller's series; for staff every series."""

    about = "The caller's series: bookings that repeat. For staff every series."
    abouts: ClassVar = {
        "check": "Tries a new series, tells what would become of each date, and stores nothing.",
        "dates": "The dates of the series with their bookings, and those that were not booked.",
        "cancel": "Cancels the dates in a span of time, or those named by their ids.",
    }
    serializer_class = SeriesSerializer
    serializers: ClassVar[Mapping[str, type[BaseSerializer]]] = {
        "create": NewSeriesSerializer,
        "check": NewSeriesSerializer,
        "partial_update": ChangedSeriesSerializer,
        "cancel": CancelSerializer,
    }
    permission_classes = (IsSeriesOwnerOrStaff,)
    lookup_value_regex = "[0-9]+"
    queries: ClassVar[Mapping[str, type[QueryParameters]]] = {"list": SeriesListParameters}
    queryset = Series.objects.all()

    def get_object(self) -> Series:
        """The series, looked up among all; the permission then decides."""
        series = found(Series.objects.select_related("user", "resource").filter(pk=self.key).first())
        self.check_object_permissions(self.request, series)
        return series

    def get_serializer_class(self) -> type[BaseSerializer]:
        """The serializer of the body; that of a series for whatever has none."""
        return self.serializers.get(self.action or "", SeriesSerializer)

    def represent(self, row: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any row for the mixin
        """The fields of a series, whatever the call sends."""
        return SeriesSerializer.fields_of(row)

    @property
    def live_fields(self) -> Collection[str]:
        return SeriesSerializer.live_fields

    @property
    def act(self) -> Act:
        """The act of this request."""
        return Act.of(self.request, now=self.now, channel=Channel.API)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def listed(self) -> QuerySet[Series]:
        """The rows of the list."""
        caller, asked = cast(User, self.request.user), self.parameters
        series = Series.objects.all() if caller.is_staff else Series.objects.filter(user=caller)
        for name in ("resource", "user"):
            if asked[name] is not None:
                series = series.filter(**{f"{name}_id": asked[name]})
        if asked["upcoming"] is not None:
            coming = Exists(Booking.objects.blocking().filter(series=OuterRef("pk"), end_time__gt=self.now))
            series = series.filter(coming if asked["upcoming"] else ~coming)
        return SeriesSerializer.rows(series)

    def complete(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows with the words of their rules."""
        return [SeriesSerializer.shown(row) for row in rows]

    @action(["get"], detail=True)
    def dates(self, request: Request, pk: str) -> Response:
        """Lists the dates of a series, and those that were not booked."""
        return with_tag_of_body(request, Response(dates_json(self.get_object())))

    # --- A new series -------------------------------------------------------------------------------------------------

    def create(self, request: Request) -> Response:
        """Books a series once for each `Idempotency-Key`."""
        return idempotent(request, self.book, now=self.now)

    def book(self) -> Response:
        """Books a series from the body."""
        values = self.read()
        outcome = self.book_as_sent(values)
        series = cast(Series, outcome.series)
        fields = self.represent(series)
        skipped = [verdict.as_json() for verdict in outcome.skipped]
        body = {**fields, "made": made_json(outcome.bookings, series), "skipped": skipped}
        location = reverse("series-detail", args=[series.pk], request=self.request)
        response = Response(body, status=201, headers={"Location": location})
        return with_tag(self.request, response, tag_of(fields, self.live_fields))

    @action(["post"], detail=False)
    def check(self, request: Request) -> Response:
        """Tries a series, and stores nothing."""
        try:
            values = self.read()
            outcome = self.book_as_sent(values, dry_run=True)
            words = in_words(outcome.pattern.rule, outcome.pattern.start)
            told = {"rule_text": words, "dates": [verdict.as_json() for verdict in outcome.verdicts]}
            outcome.require(IfRefused(values.get("on_conflict", IfRefused.FAIL)))
        except errors.DatesRefused as error:
            return Response({**self.refusal(error), **told})
        except (BookingError, APIException) as error:
            return Response(self.refusal(error))
        return Response({"ok": True, **told})

    def refusal(self, error: Exception) -> dict[str, Any]:
        """What a call would be refused with."""
        answer = flat_error(error, self.get_exception_handler_context())
        verdict = {"ok": False, "status": answer.status_code}
        # The status code replaces a field error named `status`.
        return {**verdict, **answer.data, **verdict}

    def read(self) -> dict[str, Any]:
        """The validated fields of the body."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def book_as_sent(self, values: Mapping[str, Any], *, dry_run: bool = False) -> Outcome:
        """Books a series for the caller, or for the `user` that staff name.

        Raises:
            BookingError: Of the rule of the series, or about its dates.
        """
        user_id = values.get("user_id")
        return lifecycle.book_series(
            user=lifecycle.find_user(user_id) if user_id else cast(User, self.request.user),
            resource_id=values["resource_id"],
            repeat=Repeat(
                rule=Rule.parse(values["rrule"]),
                start=values["local_start"],
                end=values["local_end"],
                time_zone=values.get("time_zone"),
                exdates=tuple(values.get("exdates", ())),
                rdates=tuple(values.get("rdates", ())),
            ),
            status=values.get("status"),
            notes=values.get("notes", ""),
            staff_note=values.get("staff_note", ""),
            on_conflict=IfRefused(values.get("on_conflict", IfRefused.FAIL)),
            act=self.act,
            override=values.get("override") or (),
            dry_run=dry_run,
        )

    # --- Changes ------------------------------------------------------------------------------------------------------

    def partial_update(self, request: Request, pk: str) -> Response:
        """Changes the notes."""
        series = self.get_object()
        serializer = self.get_serializer(series, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        notes = serializer.validated_data.get("notes", series.notes)
        return self.answer(lifecycle.change_notes(series, notes=notes, act=self.act, check=self.version_check()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Cancels all dates that are not over; the series stays."""
        lifecycle.cancel_some(self.get_object(), act=self.act, check=self.version_check())
        return Response(status=204)

    @action(["post"], detail=True)
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancels some dates."""
        series = self.get_object()
        values = self.read()
        act, within = replace(self.act, reason=values.get("reason", "")), None
        if "start" in values:
            start, end = (moment_in(series, values[name]) for name in ("start", "end"))
            if start >= end:
                raise ValidationError({"end": ["The end must be after the start."]})
            within = Interval(start, end)
        cancelled = lifecycle.cancel_some(
            series, ids=values.get("ids"), within=within, act=act, check=self.version_check()
        )
        return Response({"cancelled": made_json(cancelled, series)})


def moment_in(series: Series, time: datetime) -> datetime:
    """A moment, or a time by the clock of a series, as a moment."""
    return time if time.tzinfo else moment_by_first_offset(time, series.zone)


def dates_json(series: Series) -> list[dict[str, Any]]:
    """The dates of a series in the order of its rule, with those that were not booked; two statements."""
    bookings = list(Booking.objects.filter(series=series).order_by("recurrence_id")[:MOST_DATES])
    skipped = SkippedDate.objects.filter(series=series).order_by("local_start")[:MOST_DATES]
    dates = [
        (local_time(cast(datetime, booking.recurrence_id), series.zone), date_json(made, booking.recurrence_id))
        for booking, made in zip(bookings, made_json(bookings, series), strict=True)
    ]
    dates += [(datetime.fromisoformat(each.local_start), skipped_json(each)) for each in skipped]
    return [shown for _, shown in sorted(dates, key=lambda date: date[0])]
