"""Taking an act at the desk back by one link: the same verb with the values of before.

The link holds the booking, its values before the act and its version after it, signed: nobody else can make one, and
after another change of the booking it is refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core import lifecycle
from core.errors import BookingError
from core.lifecycle import Changes
from core.lifecycle.transactions import Check
from core.models import Booking
from core.record.forms import act_of
from core.staff.base import ChangedMeanwhile
from core.staff.moments import sentence_of
from core.staff.pages import StaffPage

SALT = "core.desk.taking_back"
SECONDS = 24 * 3600
PARAMETER = "back"
FIELDS = ("resource_id", "start_time", "end_time", "status")


def version_of(booking: Booking) -> str:
    """The version of a booking, as a page sends it back."""
    return booking.updated_at.isoformat()


def require_version(seen: str) -> Check:
    """A check of the locked booking: refuses a change of what somebody else has changed meanwhile."""

    def check(booking: Booking) -> None:
        if seen != version_of(booking):
            raise ChangedMeanwhile

    return check


def way_back(before: Booking, after: Booking) -> str:
    """What a link needs that takes the change from one state of a booking to another back."""
    was = {name: getattr(before, name) for name in FIELDS if getattr(before, name) != getattr(after, name)}
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in was.items()}
    return signing.dumps({"id": after.pk, "was": told, "seen": version_of(after)}, salt=SALT, compress=True)


def go_back(token: str, request: HttpRequest) -> Booking:
    """Takes the act back.

    Raises:
        BookingError: The rules refuse it, or the booking has changed since.
        BadSignature: Nobody here has made this link, or it is older than a day.
    """
    told: Mapping[str, Any] = signing.loads(token, salt=SALT, max_age=SECONDS)
    booking = Booking.objects.filter(pk=told["id"]).first()
    if booking is None:
        raise ChangedMeanwhile
    was: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name.endswith("_time") else value for name, value in told["was"].items()
    }
    act = act_of(request, "Taken back at the desk." if "status" in was else "")
    return lifecycle.change(booking, changes=Changes(**was), act=act, check=require_version(told["seen"]))


class TakingBackPage(StaffPage):
    """Takes an act back and leads to the page that it was done on."""

    title = "Take back"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            booking = go_back(request.POST.get("token", ""), request)
        except signing.BadSignature:
            messages.error(request, "This link is too old, or it is not whole. Nothing was changed.")
        except BookingError as error:
            messages.error(request, f"Not taken back: {sentence_of(error)}")
        else:
            messages.success(request, f"Taken back: {booking}.")
        address, first_page = request.POST.get("next", ""), reverse("admin:index")
        is_own = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith(first_page)
        return HttpResponseRedirect(address if is_own else first_page)
