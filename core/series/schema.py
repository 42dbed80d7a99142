"""The OpenAPI description of series."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers

from core import errors
from core.api.description import describe
from core.api.errors import Contradiction
from core.api.idempotency import KeyReused
from core.series.fields import LocalTimeField
from core.series.serializers import (
    CancelledSerializer,
    CancelSerializer,
    ChangedSeriesSerializer,
    DateSerializer,
    MadeDateSerializer,
    MadeSeriesSerializer,
    NewSeriesSerializer,
    SeriesSerializer,
    VerdictSerializer,
)
from core.series.views import SeriesViewSet

LOCAL_TIME = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6}\d{0,6})?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?$",
}
extend_schema_field(LOCAL_TIME)(LocalTimeField)

NEW = {
    "resource": 3,
    "rrule": "FREQ=WEEKLY;BYDAY=TH;COUNT=3",
    "start_time": "2030-01-31T10:00:00",
    "end_time": "2030-01-31T11:00:00",
    "time_zone": "Europe/Berlin",
    "notes": "Weekly planning",
}
SERIES = {
    "id": 6,
    "user": 7,
    "username": "alice",
    "resource": 3,
    "resource_name": "Blue room",
    "rrule": NEW["rrule"],
    "rule_text": "every Thursday, 3 times",
    "start_time": NEW["start_time"],
    "end_time": NEW["end_time"],
    "time_zone": NEW["time_zone"],
    "exdates": [],
    "rdates": [],
    "notes": NEW["notes"],
    "previous": None,
    "created_at": "2030-01-24T08:15:30.123456Z",
    "updated_at": "2030-01-24T08:15:30.123456Z",
}
SLOT = {"start_time": "2030-01-31T09:00:00Z", "end_time": "2030-01-31T10:00:00Z"}
NEXT_SLOT = {"start_time": "2030-02-07T09:00:00Z", "end_time": "2030-02-07T10:00:00Z"}
LATER = {"start_time": "2030-02-07T10:30:00Z", "end_time": "2030-02-07T11:30:00Z"}
BOOKED = {"id": 41, "local_start": "2030-01-31T10:00:00", **SLOT, "status": "confirmed"}
FREE = {"local_start": BOOKED["local_start"], **SLOT, "code": "", "detail": "", "conflicts": [], "suggestion": None}
TAKEN = {
    "local_start": "2030-02-07T10:00:00",
    **NEXT_SLOT,
    "code": errors.DateTaken.code,
    "detail": errors.DateTaken.message,
    "conflicts": [{"start_time": "2030-02-07T09:30:00Z", "end_time": "2030-02-07T10:30:00Z"}],
    "suggestion": LATER,
}
NOTHING = dict.fromkeys(("id", "start_time", "end_time", "status", "recurrence_id"))
REFUSED = errors.DatesRefused([], of=3)


def component(serializer: type, name: str, sentence: str, example: Any = None) -> None:  # noqa: ANN401 - any JSON
    """Names a component and says what it is; with an example of an answer."""
    shown = [] if example is None else [OpenApiExample("example", example, response_only=True)]
    extend_schema_serializer(component_name=name, description=sentence, examples=shown)(serializer)


component(SeriesSerializer, "Series", "A series: bookings that repeat by a rule.", SERIES)
component(ChangedSeriesSerializer, "SeriesNotes", "The notes of a series.")
component(MadeDateSerializer, "BookedDate", "A booked date of a series.")
component(DateSerializer, "SeriesDate", "A date of a series: a booking, or one that was not booked.")
component(VerdictSerializer, "DateVerdict", "What becomes of one date of a series.")
component(CancelledSerializer, "CancelledDates", "The dates that a call cancelled.")
component(
    MadeSeriesSerializer,
    "NewSeries",
    "A new series, and what became of its dates.",
    {**SERIES, "made": [BOOKED], "skipped": [TAKEN]},
)


@extend_schema_serializer(component_name="SeriesOrder", description="A series to be made, as staff may send it.")
class WholeNewSeriesSerializer(NewSeriesSerializer):
    """A series to be made, as staff may send it."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields, whoever asks."""
        return serializers.Serializer.get_fields(self)


class SpanCancellationSerializer(CancelSerializer):
    """The dates in a span of time."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Without `ids`."""
        found = super().get_fields()
        del found["ids"]
        found["start"].required = found["end"].required = True
        return found


class ChosenCancellationSerializer(CancelSerializer):
    """The dates with these ids."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Without `start` and `end`."""
        found = super().get_fields()
        del found["start"], found["end"]
        found["ids"].required = True
        return found


component(SpanCancellationSerializer, "SpanCancellation", "A span of time: the dates that start in it are cancelled.")
component(ChosenCancellationSerializer, "ChosenCancellation", "The dates that are to be cancelled, by their ids.")


def sends(**bodies: Any) -> list[OpenApiExample]:  # noqa: ANN401 - any JSON
    """The examples of a body, by name; an underscore in a name becomes a space."""
    return [OpenApiExample(name.replace("_", " "), value, request_only=True) for name, value in bodies.items()]


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="A word of your own for this series, such as a UUID: 1 to 255 visible ASCII characters. Another series "
    "needs another one.",
)
TRIED_BESIDES = {
    "description": "Whatever else is sent is tried, too: the answer is what booking would say of it.",
    "properties": {},
}
TRIED = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean", "description": "Whether the series would be made."},
        "status": {"type": "integer", "description": "Otherwise the status of the refusal, beside its body."},
        "rule_text": {"type": "string", "description": "The rule in words, unless the rule itself is refused."},
        "dates": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/DateVerdict"},
            "description": "What would become of each date, in order; not there where the rule itself is refused.",
        },
        "error": {"type": "string"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["ok"],
    "additionalProperties": True,
}
# A rule alone has these errors; single dates have theirs in `dates`.
OF_RULES = (
    errors.RuleNotSupported,
    errors.NoOccurrence,
    errors.NotInRule,
    errors.TooManyDates,
    errors.SeriesOverlapsItself,
    errors.EndNotAfterStart,
    errors.StartInPast,
    errors.TooLongAgo,
    errors.TooFarAhead,
    errors.StatusNotAllowed,
    errors.ResourceMissing,
    errors.UserMissing,
    errors.TimeNotUtcText,
)
OF_DATES = (errors.DatesRefused, errors.SeriesChanged)

describe(
    SeriesViewSet,
    "Series",
    shown_as=SeriesSerializer,
    list=extend_schema(
        operation_id="listSeries",
        summary="List series",
        description="One's own, and for staff everybody's. All of them, unless `limit` asks for a page. The dates of a "
        "series are bookings: `/api/bookings/?series=` lists them, and `dates` below with those that were not booked.",
    ),
    create=extend_schema(
        operation_id="createSeries",
        summary="Book again and again",
        description="Books a resource by a rule of RFC 5545, on at most 366 dates. Each date is a booking of its own, "
        "which obeys every rule as if it was booked alone, and has the same time of day by the clock of the series. A "
        "date that the clock skips is left out; in the hour that the clock repeats, the first time is meant.\n\n"
        "Where dates are refused, `on_conflict` decides: `fail` books nothing and names each of them, `skip` books the "
        "others, and lists those that it left out as `skipped`. Send an `Idempotency-Key` and repeat the call as often "
        "as the network makes you.",
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("Idempotent-Replayed", location=OpenApiParameter.HEADER, response=[201]),
        ],
        request=WholeNewSeriesSerializer,
        responses={201: OpenApiResponse(MadeSeriesSerializer, "The new series, and what became of its dates.")},
        examples=sends(weekly=NEW, what_is_free={**NEW, "on_conflict": "skip"}),
        extensions={"x-errors": (*OF_RULES, errors.DatesRefused, KeyReused, Contradiction)},
    ),
    check=extend_schema(
        operation_id="checkSeries",
        summary="Try a series without making it",
        description="A dry run of all rules: `dates` tells what would become of each date. Nothing is saved, nobody is "
        "told. What would be refused is a 200 with `ok` false and what the refusal would say.",
        request={
            "application/json": {"anyOf": [{"$ref": "#/components/schemas/SeriesOrderRequest"}, TRIED_BESIDES]},
            "application/x-www-form-urlencoded": WholeNewSeriesSerializer,
            "multipart/form-data": WholeNewSeriesSerializer,
        },
        responses={
            200: OpenApiResponse(
                TRIED,
                "What the series would be answered.",
                [
                    OpenApiExample("possible", {"ok": True, "rule_text": SERIES["rule_text"], "dates": [FREE]}),
                    OpenApiExample(
                        "taken",
                        {
                            "ok": False,
                            "status": REFUSED.status,
                            "code": REFUSED.code,
                            "detail": "1 of 3 dates is refused. Nothing was done.",
                            "dates": [FREE, TAKEN],
                        },
                    ),
                ],
            )
        },
        examples=sends(weekly=NEW),
    ),
    retrieve=extend_schema(
        operation_id="getSeries",
        summary="Show a series",
        description="Somebody else's is a 403.\n\nFor its owner, and staff.",
    ),
    dates=extend_schema(
        operation_id="listDates",
        summary="List the dates of a series",
        description="Each date in the order of the rule: its booking, or why it was not booked. At most 732."
        "\n\nFor its owner, and staff.",
        responses={
            200: OpenApiResponse(
                DateSerializer(many=True),
                "The dates.",
                [
                    OpenApiExample("booked", {**BOOKED, "recurrence_id": SLOT["start_time"], "code": ""}),
                    OpenApiExample(
                        "taken", {**NOTHING, "local_start": TAKEN["local_start"], "code": errors.DateTaken.code}
                    ),
                ],
            )
        },
    ),
    partial_update=extend_schema(
        operation_id="changeSeries",
        summary="Change the notes of a series",
        description="And those of its dates that are not over and have no notes of their own. Times, the resource and "
        "the status of dates change with their bookings: `/api/bookings/{id}/?scope=`. What else of the series is "
        "sent must be as it is.\n\nFor its owner, and staff.",
        request=ChangedSeriesSerializer,
        examples=sends(notes={"notes": "Planning, with cake"}),
        extensions={"x-errors": OF_DATES},
    ),
    destroy=extend_schema(
        operation_id="cancelSeries",
        summary="Cancel a series",
        description="Cancels all its dates that are not over; the series stays and can still be read."
        "\n\nFor its owner, and staff.",
        responses={204: OpenApiResponse(description="Cancelled.")},
        extensions={"x-errors": OF_DATES},
    ),
    cancel=extend_schema(
        operation_id="cancelDates",
        summary="Cancel some dates of a series",
        description="Those that start in a span of time, such as two weeks of holiday, or those named by their ids. "
        "All of them or none. A date that is cancelled already is passed over.\n\nFor its owner, and staff.",
        request=PolymorphicProxySerializer(
            component_name="SeriesCancellation",
            serializers=[SpanCancellationSerializer, ChosenCancellationSerializer],
            resource_type_field_name=None,
        ),
        responses={
            200: OpenApiResponse(
                CancelledSerializer,
                "The cancelled dates.",
                [OpenApiExample("example", {"cancelled": [{**BOOKED, "status": "cancelled"}]})],
            )
        },
        examples=sends(
            two_weeks={"start": "2030-02-01T00:00:00", "end": "2030-02-15T00:00:00", "reason": "Holiday"},
            by_id={"ids": [41]},
        ),
        extensions={"x-errors": (*OF_DATES, errors.NotInSeries, errors.ReasonWithoutStatus)},
    ),
)
