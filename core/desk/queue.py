"""The queue: the bookings that wait for approval, each with what decides, and the decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.choices import BookingStatus, Decision
from core.desk.deciding import decide
from core.desk.forms import FIRST_DAY, LAST_DAY, DayInput, DecisionForm
from core.desk.surroundings import Surroundings, surroundings_of
from core.desk.taking_back import PARAMETER, version_of, way_back
from core.intervals import Interval
from core.lifecycle.transactions import Check
from core.models import Booking
from core.staff.base import ChangedMeanwhile
from core.staff.filters import DAY, midnight
from core.staff.forms import is_key
from core.staff.moments import DayField
from core.staff.pages import StaffPage
from core.staff.paginator import BoundedPaginator

ON_A_PAGE = 50
ORDERS = {"soonest": ("start_time", "id"), "oldest": ("created_at", "id")}
DECISIONS = (Decision.CONFIRM, Decision.REJECT)
NO_REASON = "A rejection needs a reason for {names}. Nothing was changed."


class ChangedSinceSeen(ChangedMeanwhile):
    """Somebody changed a booking that waits after staff saw it; no client of the API gets this."""

    message = "Somebody changed this booking meanwhile and it was left as it is. Look at it and decide again."


class ChoiceForm(forms.Form):
    """What the queue shows: its order and a day."""

    order = forms.ChoiceField(
        choices=[("soonest", "soonest first"), ("oldest", "oldest first")], required=False, initial="soonest"
    )
    day = DayField(required=False, validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["day"].widget = DayInput()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A booking that waits, for the page.

    Attributes:
        booking: The booking.
        key: Its number and the version that the page shows.
        known: What is known around it.
        is_ticked: Whether its box is ticked.
    """

    booking: Booking
    key: str
    known: Surroundings
    is_ticked: bool


def key_of(booking: Booking) -> str:
    """The number and the version of a booking."""
    return f"{booking.pk} {version_of(booking)}"


def keys_in(values: Sequence[str]) -> dict[int, str] | None:
    """The versions by the numbers of the bookings; None if a value cannot be read, or if they are too many."""
    pairs = [value.partition(" ") for value in values]
    if len(pairs) > ON_A_PAGE or not all(is_key(number) for number, _, _ in pairs):
        return None
    return {int(number): version for number, _, version in pairs}


def require_version(seen: str) -> Check:
    """A check of the locked booking: while it waits, it is as staff saw it."""

    def check(booking: Booking) -> None:
        if booking.status == BookingStatus.PENDING and version_of(booking) != seen:
            raise ChangedSinceSeen

    return check


class QueuePage(StaffPage):
    """The bookings that wait for approval."""

    title = "Waiting for approval"
    template_name = "core/desk/queue.html"
    styles = (*StaffPage.styles, "core/admin/queue.css")
    scripts: ClassVar[tuple[str, ...]] = ("core/admin/queue.js",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's own
        """The page: the first bookings in the chosen order, and what is known around each."""
        now = timezone.now()
        choice = ChoiceForm(self.request.GET)
        valid = choice.cleaned_data if choice.is_valid() else {}
        order, day = valid.get("order") or "soonest", valid.get("day")
        rows = Booking.objects.waiting(now).in_full().order_by(*ORDERS[order])
        if day is not None:
            rows = rows.overlapping(Interval(midnight(day), midnight(day) + DAY))
        page = BoundedPaginator(rows, ON_A_PAGE).get_page(self.request.GET.get("p"))
        bookings = list(page)
        known = surroundings_of(bookings, now=now)
        ticked = set(self.request.POST.getlist("ticked")) | set(kwargs.pop("keys", ()))
        all_ticked = self.request.method == "GET" and "all" in self.request.GET
        today = timezone.localtime(now).date()
        return super().get_context_data(
            choice=ChoiceForm(initial={"order": order, "day": day}) if choice.is_valid() else choice,
            order=order,
            day=day,
            page=page,
            number=page.paginator.count,
            waiting=[
                Waiting(each, key_of(each), known[each.pk], all_ticked or key_of(each) in ticked) for each in bookings
            ],
            days=[("all days", None), ("today", today), ("tomorrow", today + DAY)],
            decision=kwargs.pop("decision", None) or DecisionForm(),
            address=self.address(),
            all_ticked=all_ticked,
            back=self.request.GET.get(PARAMETER, ""),
            **kwargs,
        )

    def address(self, **more: str) -> str:
        """The address of this page of the queue, with nothing ticked.

        Args:
            more: Further parameters.
        """
        kept = {name: self.request.GET[name] for name in ("order", "day", "p") if self.request.GET.get(name)}
        return reverse("admin:queue") + (f"?{urlencode({**kept, **more})}" if kept or more else "")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirms or rejects what is ticked, or the one booking whose own button was pressed."""
        report: Any = admin.site.get_model_admin(Booking)
        decision = next((name for name in DECISIONS if name in request.POST or f"{name}_one" in request.POST), None)
        if decision is None:
            return HttpResponseRedirect(self.address())
        one = request.POST.getlist(f"{decision}_one")
        keys = one or request.POST.getlist("ticked")
        seen = keys_in(keys)
        if seen is None:
            report.message_user(request, "The selection cannot be read. Nothing was changed.", messages.ERROR)
            return HttpResponseRedirect(self.address())
        if not seen:
            report.message_user(request, "Tick at least one booking. Nothing was changed.", messages.WARNING)
            return HttpResponseRedirect(self.address())
        bookings = list(Booking.objects.in_full().filter(pk__in=seen).order_by("start_time", "pk"))
        form = DecisionForm(request.POST)
        if form.is_valid() and decision == Decision.REJECT and not form.cleaned_data["reason"]:
            asking = sorted({each.resource.name for each in bookings if each.resource.reason_required})
            if asking:
                form.add_error("reason", NO_REASON.format(names=", ".join(asking)))
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(decision=form, keys=keys))
        done = decide(
            decision,
            request,
            bookings,
            reason=form.cleaned_data["reason"],
            gone=set(seen) - {each.pk for each in bookings},
            check_of=lambda booking: require_version(seen[booking.pk]),
        )
        return HttpResponseRedirect(self.address(**({PARAMETER: way_back(*done[0])} if len(done) == 1 else {})))
