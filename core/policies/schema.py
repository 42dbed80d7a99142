"""The OpenAPI description of policies, opening hours, exceptions, open spans and quotas."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers

from core import errors
from core.api.description import describe
from core.policies import views
from core.policies.serializers import (
    NO_LONGER_FIT,
    AllowanceSerializer,
    ClockField,
    OpeningExceptionSerializer,
    OpeningHoursSerializer,
    OpenSpanSerializer,
    PolicySerializer,
    QuotaSerializer,
    WeekSerializer,
)
from core.querysets import POLICY

HOURS, QUOTAS = "Opening hours and limits", "Quotas"
CLOCK = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
FOR_STAFF = "\n\nFor staff."

LIMITS = {"min_minutes": 30, "max_minutes": 240, "grid_minutes": 30, "buffer_after_minutes": 15}
POLICY_SHOWN = {**dict.fromkeys(POLICY), **LIMITS}
WEEK = [
    {"weekday": 1, "opens": "09:00", "closes": "17:00"},
    {"weekday": 5, "opens": "22:00", "closes": "02:00"},
]
DAYS = {"first_day": "2030-12-24", "last_day": "2030-12-26", "name": "Christmas", "hours": []}
EXCEPTION = {"id": 8, **DAYS}
SPAN = {"start_time": "2030-01-31T08:00:00Z", "end_time": "2030-01-31T16:00:00Z"}
QUOTA = {"id": 2, "group": None, "resource": 3, "kind": "count", "period": "week", "limit": 3}
NEW_QUOTA = {name: QUOTA[name] for name in QUOTA if name != "id"}
ALLOWANCE = {
    "kind": "count",
    "period": "week",
    "resource": 3,
    "limit": 3,
    "used": 3,
    "left": 0,
    "frees_at": "2030-02-03T23:00:00Z",
}

extend_schema_field(CLOCK)(ClockField)


def shown(serializer: type, name: str, example: Any) -> None:  # noqa: ANN401 - any JSON
    """Names a component, and gives it an example."""
    examples = [OpenApiExample("example", example, response_only=True)]
    extend_schema_serializer(component_name=name, examples=examples)(serializer)


shown(PolicySerializer, "Policy", POLICY_SHOWN)
shown(OpeningHoursSerializer, "OpeningHours", WEEK[0])
shown(WeekSerializer, "OpeningWeek", {"opening_hours": WEEK})
shown(OpeningExceptionSerializer, "OpeningException", EXCEPTION)
shown(OpenSpanSerializer, "OpenSpan", SPAN)
shown(QuotaSerializer, "Quota", QUOTA)
shown(AllowanceSerializer, "Allowance", ALLOWANCE)


class NoLongerFitSerializer(serializers.Serializer):
    """What each answer to a write has."""

    no_longer_fit = serializers.IntegerField(read_only=True, min_value=0, help_text=NO_LONGER_FIT)


class WrittenPolicySerializer(NoLongerFitSerializer, PolicySerializer):
    """A policy that was written."""

    class Meta(PolicySerializer.Meta):
        fields: tuple[str, ...] = (*PolicySerializer.Meta.fields, "no_longer_fit")


class WrittenWeekSerializer(NoLongerFitSerializer, WeekSerializer):
    """Opening hours that were written."""


class WrittenExceptionSerializer(NoLongerFitSerializer, OpeningExceptionSerializer):
    """An exception that was written."""

    class Meta(OpeningExceptionSerializer.Meta):
        fields: tuple[str, ...] = (*OpeningExceptionSerializer.Meta.fields, "no_longer_fit")


shown(WrittenPolicySerializer, "WrittenPolicy", {**POLICY_SHOWN, "no_longer_fit": 2})
shown(WrittenWeekSerializer, "WrittenOpeningWeek", {"opening_hours": WEEK, "no_longer_fit": 2})
shown(WrittenExceptionSerializer, "WrittenOpeningException", {**EXCEPTION, "no_longer_fit": 2})

describe(
    views.PolicyViewSet,
    HOURS,
    retrieve=extend_schema(
        operation_id="getPolicy",
        summary="Show the limits of a resource",
        description="How long, how far ahead and how close together it is booked. Null is “no such rule”.",
        responses={200: OpenApiResponse(PolicySerializer, "The policy.")},
    ),
    update=extend_schema(
        operation_id="replacePolicy",
        summary="Write the limits of a resource, all of them",
        description="A limit that is left out is null from then on. Bookings that were made before stay as they are; "
        "`no_longer_fit` counts them." + FOR_STAFF,
        responses={200: OpenApiResponse(WrittenPolicySerializer, "The policy.")},
        examples=[OpenApiExample("half hours", LIMITS, request_only=True)],
    ),
    destroy=extend_schema(
        operation_id="deletePolicy",
        summary="Delete the limits of a resource",
        description="A 204 where there are none, too." + FOR_STAFF,
    ),
)
describe(
    views.OpeningHoursViewSet,
    HOURS,
    retrieve=extend_schema(
        operation_id="listOpeningHours",
        summary="List the opening hours of a week",
        description="From Monday on, by the clock of the resource. Without any the resource is always open.",
        responses={200: OpenApiResponse(OpeningHoursSerializer(many=True), "The week.")},
    ),
    update=extend_schema(
        operation_id="replaceOpeningHours",
        summary="Write the opening hours of the whole week",
        description="The periods of one day must not overlap; at most ten a day. A period that closes at or before its "
        "opening ends on the next day. An empty list: always open." + FOR_STAFF,
        request=OpeningHoursSerializer(many=True),
        responses={200: OpenApiResponse(WrittenWeekSerializer, "The week.")},
        examples=[OpenApiExample("Mondays", WEEK[0], request_only=True)],
    ),
)
PRECEDENCE = (
    "Earliest first. The exceptions of a resource win over those of all resources, and these over the weekly hours; of "
    "two on one level the one with fewer days wins."
)


def describe_exceptions(view: type, names: str, whose: str) -> None:
    """Describes the exceptions of one resource, or of all.

    Args:
        view: The view.
        names: The noun in the names of the operations.
        whose: Whose exceptions they are.
    """
    one = names.removesuffix("s")
    written = OpenApiResponse(WrittenExceptionSerializer, "The exception.")
    wrong = (errors.ExceptionsClash,)
    opened = {"hours": [{"opens": "10:00", "closes": "14:00"}]}
    describe(
        view,
        HOURS,
        list=extend_schema(
            operation_id=f"list{names}",
            summary=f"List the days with other hours of {whose}",
            description=PRECEDENCE,
            responses={200: OpenApiResponse(OpeningExceptionSerializer(many=True), "The exceptions.")},
        ),
        create=extend_schema(
            operation_id=f"create{one}",
            summary=f"Add days with other hours of {whose}",
            description="Without `hours` the days are closed." + FOR_STAFF,
            responses={201: OpenApiResponse(WrittenExceptionSerializer, "The new exception.")},
            examples=[OpenApiExample("closed", DAYS, request_only=True)],
            extensions={"x-errors": (*wrong, errors.TooManyExceptions)},
        ),
        retrieve=extend_schema(
            operation_id=f"get{one}",
            summary=f"Show days with other hours of {whose}",
            description="One exception.",
            responses={200: OpenApiResponse(OpeningExceptionSerializer, "The exception.")},
        ),
        partial_update=extend_schema(
            operation_id=f"change{one}",
            summary=f"Change what is named of days with other hours of {whose}",
            description="What is not sent stays." + FOR_STAFF,
            responses={200: written},
            examples=[OpenApiExample("open", opened, request_only=True)],
            extensions={"x-errors": wrong},
        ),
        destroy=extend_schema(
            operation_id=f"delete{one}",
            summary=f"Delete days with other hours of {whose}",
            description="The usual hours hold again." + FOR_STAFF,
        ),
    )


describe_exceptions(views.OpeningExceptionViewSet, "OpeningExceptions", "all resources")
describe_exceptions(views.ResourceExceptionViewSet, "ResourceExceptions", "a resource")
describe(
    views.OpenView,
    HOURS,
    get=extend_schema(
        operation_id="listOpenSpans",
        summary="List when a resource is open",
        description="The spans of a window of at most 366 days, from opening hours and exceptions. Bookings and "
        "closures do not count here.",
        responses={200: OpenApiResponse(OpenSpanSerializer(many=True), "The open spans.")},
    ),
)
WRONG = (errors.ResourceMissing, errors.GroupMissing)
describe(
    views.QuotaViewSet,
    QUOTAS,
    list=extend_schema(
        operation_id="listQuotas", summary="List quotas", description="In order of their ids." + FOR_STAFF
    ),
    create=extend_schema(
        operation_id="createQuota",
        summary="Add a quota",
        description="How much each person may book, or each member of a group." + FOR_STAFF,
        examples=[OpenApiExample("three a week", NEW_QUOTA, request_only=True)],
        extensions={"x-errors": WRONG},
    ),
    retrieve=extend_schema(operation_id="getQuota", summary="Show a quota", description="One quota." + FOR_STAFF),
    partial_update=extend_schema(
        operation_id="changeQuota",
        summary="Change what is named of a quota",
        description="What is not sent stays." + FOR_STAFF,
        examples=[OpenApiExample("four", {"limit": 4}, request_only=True)],
        extensions={"x-errors": WRONG},
    ),
    destroy=extend_schema(
        operation_id="deleteQuota",
        summary="Delete a quota",
        description="It limits nobody from then on." + FOR_STAFF,
    ),
)
describe(
    views.AllowancesView,
    QUOTAS,
    get=extend_schema(
        operation_id="listAllowances",
        summary="Show what is left of one's quotas",
        description="Each quota that limits the caller, with what is used of it now.",
        responses={200: OpenApiResponse(AllowanceSerializer(many=True), "The quotas of the caller.")},
    ),
)
