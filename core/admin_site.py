"""Django's admin with the sign-in limits of the API."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

from core.throttling import SIGN_IN


class BookingAdminSite(AdminSite):
    """The admin, whose form counts among the sign-ins."""

    site_header = site_title = "Booking system"
    index_title = "What to look after"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The form; after too many tries a 429 that says when to come back."""
        if request.method == "POST":
            throttles = [throttle() for throttle in SIGN_IN]
            waits = [throttle.wait() for throttle in throttles if not throttle.allow_request(request, None)]
            if waits:
                seconds = int(max(waits))
                text = f"Too many sign-ins. Try again in {seconds} seconds."
                return HttpResponse(text, status=429, content_type="text/plain", headers={"Retry-After": str(seconds)})
        return super().login(request, extra_context)
