"""The OpenAPI description of the reports."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_serializer

from core.api.description import describe
from core.exports.sheets import Cell, Sheet
from core.exports.writing import csv_text
from core.reports import views
from core.reports.measures import PERIOD, ROUNDING
from core.reports.serializers import UtilisationSerializer

LINE: dict[str, Cell] = {
    "resource": 3,
    "resource_name": "Blue room",
    "open_minutes": 480,
    "booked_minutes": 300,
    "pending_minutes": 60,
    "cancelled_late_minutes": 30,
    "outside_open_minutes": 0,
    "share": 0.625,
}

FILE = csv_text(Sheet("Utilisation", list(LINE), [list(LINE.values())]))

extend_schema_serializer(
    component_name="Utilisation",
    examples=[OpenApiExample("example", LINE, response_only=True)],
    extensions={"x-sometimes": ("resource", "resource_name", "weekday", "hour", "week", "first_day")},
)(UtilisationSerializer)

describe(
    views.UtilisationViewSet,
    "Reports",
    list=extend_schema(
        operation_id="listUtilisation",
        summary="How much of the open time is booked",
        description="A line for each resource by name, for each weekday, for each hour of the day, or for each week; "
        f"those of all but resources sum up all resources.\n\n{PERIOD}\n\n{ROUNDING}\n\nAs a file by `format=csv`, "
        "`format=xlsx` or `Accept`. For staff.",
        extensions={"x-file": FILE},
        responses={200: OpenApiResponse(UtilisationSerializer(many=True), "The lines of the report.")},
    ),
)
