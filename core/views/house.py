"""What holds for the whole house."""

from django.conf import settings
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import rules
from core.api.views import ApiView


class HouseView(ApiView, APIView):
    """The time zone of the house, and its limits for bookings."""

    about = "The time zone of the house, and its limits for bookings."
    permission_classes = (AllowAny,)
    public = True

    def get(self, request: Request) -> Response:
        return Response(
            {
                "time_zone": settings.HOUSE_TIME_ZONE,
                "lead_time_minutes": settings.BOOKING_LEAD_TIME_MINUTES,
                "advance_days": rules.LATEST_END.days,
            }
        )
