"""The shapes of series and of their dates, and the query parameters of their list."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from django.db.models import F
from rest_framework import serializers

from core.api.fields import LARGEST_KEY, FormsMixin, KeyField, MomentField, TextField, WordField
from core.api.lists import PlainRowsMixin
from core.api.query import FlagParameter, ListParameters
from core.choices import BookingStatus, IfRefused
from core.lifecycle.repeating import local_time
from core.models import Booking, Series, SkippedDate
from core.record.models import LONGEST_REASON
from core.recurrence import MOST_DATES
from core.serializers import STAFF_NOTE, WHOSE, BookingSerializer, SpanSerializer
from core.series.fields import LocalTimeField
from core.series.models import rule_in_words
from core.zones import require_zone

BY_THE_CLOCK = "by the clock of `time_zone`; a time with an offset is converted to that clock"
LOCAL_START = "Its start by the clock of the series, without an offset."
ONLY_NOTES = "Only the notes of a series change. To change its dates, change one of its bookings with `scope`."
# What a client may send back with a change, as long as it is the same.
LASTING = ("user", "resource", "rrule", "start_time", "end_time", "time_zone", "exdates", "rdates")


class RuleTextField(serializers.CharField):
    """The rule in words."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(read_only=True, help_text="The rule in words.", **kwargs)


def times(what: str) -> serializers.ListField:
    """A field of at most as many times as a series has dates."""
    return serializers.ListField(child=LocalTimeField(), required=False, max_length=MOST_DATES, help_text=what)


class SeriesSerializer(PlainRowsMixin, FormsMixin, serializers.Serializer):
    """A series: bookings that repeat by a rule."""

    id = serializers.IntegerField(read_only=True)
    user = KeyField(source="user_id", required=False, allow_null=True, help_text=WHOSE)
    username = serializers.CharField(source="user.username", read_only=True, help_text="Their user name.")
    resource = KeyField(source="resource_id", help_text="What is booked, by id.")
    resource_name = serializers.CharField(source="resource.name", read_only=True, help_text="Its name.")
    rrule = serializers.CharField(
        help_text="The rule as RFC 5545 writes it, with `COUNT` or `UNTIL`: `FREQ=WEEKLY;BYDAY=MO;COUNT=10`."
    )
    rule_text = RuleTextField()
    start_time = LocalTimeField(
        source="local_start",
        help_text=f"The start of the first date {BY_THE_CLOCK}. Answered without an offset, so that what is read can "
        "be sent again.",
    )
    end_time = LocalTimeField(
        source="local_end", help_text="The end of the first date, in the same form; each date is as long by the clock."
    )
    time_zone = serializers.CharField(
        required=False,
        allow_null=True,
        validators=[require_zone],
        help_text="The zone of its clock by an IANA name; without one that of the resource. Each date has the same "
        "time of day there, also after the clocks change.",
    )
    exdates = times("Starts that the rule has and the series leaves out, in the form of `start_time`.")
    rdates = times("Starts that the series has besides, in the form of `start_time`.")
    notes = TextField(trim_whitespace=False, max_length=5_000, help_text="Free text for the owner and staff.")
    previous = serializers.IntegerField(
        source="previous_id",
        read_only=True,
        allow_null=True,
        help_text="The series from which this one was parted by a change of the following dates; null for none.",
    )
    created_at = MomentField(read_only=True, help_text="When it was made.")
    updated_at = MomentField(read_only=True, help_text="When it was last changed.")

    live_fields: ClassVar = {"username", "resource_name", "rule_text"}
    answered: ClassVar[Collection[str]] = ("made", "skipped")

    @classmethod
    @cache
    def columns(cls) -> tuple[dict[str, F], list[str]]:
        """The columns of a list, without the words of the rule."""
        aliases, names = super().columns()
        return (
            {name: path for name, path in aliases.items() if name != "rule_text"},
            [name for name in names if name != "rule_text"],
        )

    @classmethod
    def shown(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a series from a row of `columns`, with the words of the rule."""
        words = rule_in_words(row["rrule"], row["start_time"])
        return {name: words if name == "rule_text" else row[name] for name in cls.attributes()}


class NewSeriesSerializer(SeriesSerializer):
    """A series to be made."""

    status = BookingSerializer._declared_fields["status"]
    staff_note = TextField(write_only=True, trim_whitespace=False, max_length=5_000, help_text=STAFF_NOTE)
    override = BookingSerializer._declared_fields["override"]
    on_conflict = WordField(
        choices=IfRefused.choices,
        required=False,
        write_only=True,
        help_text="What to do where dates are refused: `fail`, which is usual, books nothing (400 `dates_refused`), "
        "`skip` books the other dates.",
    )

    answered = (*SeriesSerializer.answered, "staff_note", "override")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Only staff may set `user`, write their note, and waive rules."""
        found = super().get_fields()
        request = self.context.get("request")
        if request and not request.user.is_staff:
            del found["staff_note"], found["override"]
            found["user"] = serializers.IntegerField(source="user_id", read_only=True, help_text=WHOSE)
        return found


class ChangedSeriesSerializer(FormsMixin, serializers.Serializer):
    """How a series is to be changed."""

    notes = TextField(trim_whitespace=False, max_length=5_000, help_text="Free text for the owner and staff.")

    answered = (*SeriesSerializer().fields, *SeriesSerializer.answered)

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - a body of any shape
        """The notes; what else of a series is sent must be as it is."""
        values = super().to_internal_value(data)
        stored = SeriesSerializer.fields_of(self.instance) if self.instance is not None else {}
        # A form sends texts.
        changed = [name for name in LASTING if name in stored and name in data and str(data[name]) != str(stored[name])]
        if changed:
            raise serializers.ValidationError({name: [ONLY_NOTES] for name in changed})
        return values


class CancelSerializer(FormsMixin, serializers.Serializer):
    """The dates of a series that are to be cancelled: those that start in a span of time, or those with these ids."""

    start = LocalTimeField(
        required=False, help_text=f"The dates that start then or later, {BY_THE_CLOCK}; needs `end`."
    )
    end = LocalTimeField(required=False, help_text="The dates that start before then, in the same form.")
    ids = serializers.ListField(
        child=KeyField(),
        required=False,
        min_length=1,
        max_length=MOST_DATES,
        help_text="The bookings to be cancelled, by id, in place of `start` and `end`.",
    )
    reason = TextField(max_length=LONGEST_REASON, help_text="Why; the mail and the history show it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks that the dates are named in one of both ways."""
        named = {"start", "end", "ids"} & set(attrs)
        if named not in ({"start", "end"}, {"ids"}):
            raise serializers.ValidationError("Name the dates: send start and end, or ids.")
        return attrs


# --- Answers ----------------------------------------------------------------------------------------------------------


class MadeDateSerializer(serializers.Serializer):
    """A booked date of a series."""

    id = serializers.IntegerField(help_text="The booking, by id.")
    local_start = serializers.CharField(help_text=LOCAL_START)
    start_time = MomentField(help_text="Its first moment.")
    end_time = MomentField(help_text="The moment after its last.")
    status = serializers.ChoiceField(BookingStatus.choices, help_text="The status of the booking.")


class DateSerializer(serializers.Serializer):
    """A date of a series: a booking, or one that was not booked."""

    id = serializers.IntegerField(allow_null=True, help_text="The booking, by id; null for a date that has none.")
    local_start = serializers.CharField(help_text=LOCAL_START)
    start_time = MomentField(allow_null=True, help_text="Its first moment.")
    end_time = MomentField(allow_null=True, help_text="The moment after its last.")
    status = serializers.ChoiceField(
        BookingStatus.choices, allow_null=True, help_text="The status of the booking; null without one."
    )
    recurrence_id = MomentField(
        allow_null=True, help_text="The start that the rule gave the booking; a date that was moved alone keeps it."
    )
    code = serializers.CharField(
        allow_blank=True,
        help_text="Why the date was not booked: the code of an error, or `not_on_the_clock` where the clock skips the "
        "time; empty for a booking.",
    )


class VerdictSerializer(serializers.Serializer):
    """What becomes of one date of a series."""

    local_start = serializers.CharField(help_text=LOCAL_START)
    start_time = MomentField(allow_null=True, help_text="Its first moment; null where the clock skips it.")
    end_time = MomentField(allow_null=True, help_text="The moment after its last.")
    code = serializers.CharField(allow_blank=True, help_text="Why it cannot be booked; empty where it can.")
    detail = serializers.CharField(allow_blank=True, help_text="The same for people.")
    conflicts = SpanSerializer(many=True, help_text="Up to three slots that are in the way.")
    suggestion = SpanSerializer(allow_null=True, help_text="The next free slot of this length within a week.")


class MadeSeriesSerializer(SeriesSerializer):
    """A new series, and what became of its dates."""

    made = MadeDateSerializer(many=True, help_text="The booked dates, in order.")
    skipped = VerdictSerializer(many=True, help_text="The dates that were not booked, in order.")


class CancelledSerializer(serializers.Serializer):
    """The dates that a call cancelled."""

    cancelled = MadeDateSerializer(many=True, help_text="The cancelled dates, in order.")


def made_json(bookings: Sequence[Booking], series: Series) -> list[dict[str, Any]]:
    """Bookings of a series as the API lists them."""
    return [
        {
            "id": booking.pk,
            "local_start": local_time(booking.start_time, series.zone).isoformat(),
            "start_time": booking.start_time,
            "end_time": booking.end_time,
            "status": booking.status,
        }
        for booking in bookings
    ]


def date_json(made: Mapping[str, Any], recurrence_id: datetime | None) -> dict[str, Any]:
    """A booked date among all dates of a series."""
    return {**made, "recurrence_id": recurrence_id, "code": ""}


def skipped_json(date: SkippedDate) -> dict[str, Any]:
    """A date that was not booked among all dates of a series."""
    nothing = dict.fromkeys(("id", "start_time", "end_time", "status", "recurrence_id"))
    return {**nothing, "local_start": date.local_start, "code": date.code}


# --- Query parameters -------------------------------------------------------------------------------------------------


class SeriesListParameters(ListParameters):
    """The query parameters of the list of series."""

    resource = serializers.IntegerField(
        min_value=1, max_value=LARGEST_KEY, required=False, help_text="The series of this resource."
    )
    user = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY, required=False, help_text="Staff only.")
    upcoming = FlagParameter(
        help_text="Those with a booking that holds its slot and is not over, or with false the rest."
    )

    def validate_user(self, user_id: int) -> int:
        """Checks that only staff ask for the series of other users."""
        caller = self.context["request"].user
        if not caller.is_staff and user_id != caller.pk:
            raise serializers.ValidationError("Only staff may ask for the series of others.")
        return user_id
