"""The OpenAPI description of preferences."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_serializer

from core.api.description import describe
from core.notifications.serializers import PreferencesSerializer
from core.notifications.views import ConfirmationView, PreferencesView

PREFERENCES = {
    "time_zone": "Europe/Berlin",
    "booking_created": True,
    "booking_changed": True,
    "booking_confirmed": True,
    "booking_rejected": True,
    "booking_cancelled": True,
    "reminder_minutes": 60,
    "email_confirmed": True,
}
extend_schema_serializer(examples=[OpenApiExample("example", PREFERENCES, response_only=True)])(PreferencesSerializer)

describe(
    PreferencesView,
    "Messages",
    get=extend_schema(
        operation_id="getPreferences",
        summary="Show which messages one wants",
        description="The defaults, until they are changed.",
    ),
    patch=extend_schema(
        operation_id="changePreferences",
        summary="Change which messages one wants",
        description="What is not sent stays.",
        examples=[OpenApiExample("no reminder", {"reminder_minutes": None}, request_only=True)],
    ),
)
describe(
    ConfirmationView,
    "Messages",
    post=extend_schema(
        operation_id="confirmEmail",
        summary="Send the link that confirms one's email address once more",
        description="Nothing is sent to an address that is confirmed. Limited as password resets are.",
        request=None,
        responses={204: OpenApiResponse(description="Unless the address is confirmed, a mail is on its way.")},
    ),
)
