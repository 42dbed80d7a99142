"""The root of the API."""

from typing import ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from core.api.views import ApiView


class RootView(ApiView, APIView):
    """The collections of this API."""

    about = "The collections of this API."
    permission_classes = (AllowAny,)
    addresses: ClassVar = {
        "resources": "resource-list",
        "bookings": "booking-list",
        "series": "series-list",
        "availability": "availability",
        "timelines": "resource-timelines",
        "closures": "closure-list",
        "opening_exceptions": "opening-exception-list",
        "house": "house",
        "utilisation": "utilisation",
        "calendar_feeds": "calendar-feed-list",
        "quotas": "quota-list",
        "users": "user-list",
        "me": "user-me",
        "preferences": "preferences",
        "profile_quotas": "profile-quotas",
        "profile_picture": "profile-picture",
        "token_login": "login",
        "jwt_create": "jwt-create",
        "schema": "schema",
        "docs": "docs",
    }

    def get(self, request: Request) -> Response:
        """Lists the collections."""
        return Response({name: reverse(address, request=request) for name, address in self.addresses.items()})
