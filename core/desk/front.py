"""The numbers on the first page of the admin; each is the length of the list that it links to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from core.api.pagination import bounded_count
from core.api.query import MOST_COUNTED
from core.choices import BookingStatus
from core.intervals import TICK, Interval
from core.models import Booking, Closure, Resource
from core.notifications.models import Notification
from core.outbox.models import State
from core.staff.filters import DAY, midnight
from core.staff.moments import minutes
from core.staff.paginator import AtLeast


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the first page.

    Attributes:
        name: The name of the number, which is also that of its place in the page.
        label: What is counted.
        number: How many; `AtLeast` where there are more than a list counts.
        address: The list of those.
        note: A further word; empty for none.
    """

    name: str
    label: str
    number: int
    address: str
    note: str = ""


def figures(*, now: datetime) -> list[Figure]:
    """The numbers at a moment, in the current time zone; seven statements, however many rows there are."""
    today = midnight(timezone.localtime(now).date())
    waiting = Booking.objects.waiting(now)
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
    this_moment, this_day = Interval(now, now + TICK), Interval(today, today + DAY)
    return [
        Figure(
            "waiting",
            "waiting for approval",
            number_of(waiting),
            reverse("admin:queue"),
            format_html("the oldest since {}", minutes(oldest)) if oldest else "",
        ),
        Figure(
            "today",
            "bookings today",
            bookings_in(this_day),
            list_of("booking", when="today", slot="held"),
            "pending or confirmed",
        ),
        Figure(
            "running",
            "running now",
            bookings_in(this_moment, status=BookingStatus.CONFIRMED),
            list_of("booking", when="running", status__exact=BookingStatus.CONFIRMED.value),
        ),
        Figure(
            "closures",
            "closures ahead",
            number_of(Closure.objects.filter(end_time__gt=now)),
            list_of("closure", when="coming"),
            "with those that have begun",
        ),
        Figure(
            "failed",
            "messages that failed",
            number_of(Notification.objects.filter(state=State.FAILED)),
            list_of("notification", state__exact=State.FAILED.value),
        ),
        Figure(
            "out-of-service",
            "resources out of service",
            number_of(Resource.objects.filter(is_available=False)),
            list_of("resource", is_available__exact=0),
        ),
    ]


def number_of(rows: QuerySet[Any]) -> int:
    """The number of rows, counted as far as a list counts them."""
    number = bounded_count(rows, most=MOST_COUNTED)
    return AtLeast(MOST_COUNTED) if number is None else number


def bookings_in(window: Interval, *, status: BookingStatus | None = None) -> int:
    """The number of bookings that hold their slot and overlap the window.

    Each resource is looked at by its index, so that neither the history nor what is far ahead is read.
    """
    counted = Resource.objects.order_by().with_bookings_in(window, status=status)
    number: int = counted.aggregate(total=Sum("number"))["total"] or 0
    return AtLeast(MOST_COUNTED) if number > MOST_COUNTED else number


def list_of(model: str, **filters: object) -> str:
    """The address of a list with these filters."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{reverse(f'admin:core_{model}_changelist')}?{query}"


def front(request: HttpRequest) -> str:
    """The block of numbers on the first page."""
    return render_to_string("core/desk/front.html", {"figures": figures(now=timezone.now())}, request)
