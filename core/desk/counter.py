"""Booking for somebody: one page to search what is free, to say for whom, and to book one resource or several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import mark_safe

from core import lifecycle
from core.choices import BookingStatus
from core.desk.counter_forms import OF_ACCOUNT, CounterForm, WishForm, resource_keys
from core.desk.offered import offered
from core.errors import BookingError, ResourceMissing
from core.intervals import Interval, in_short
from core.models import Booking, Resource
from core.querysets import locked
from core.record.forms import act_of
from core.staff.base import booking_error_of
from core.staff.moments import sentence_of
from core.staff.pages import StaffPage

MOST_SHOWN = 50
MOST_BOOKED = 20
# How many of the person's next bookings are shown.
NEXT = 3


class Refused(Exception):  # noqa: N818 - a signal to the page, which shows the refusal at the resource
    """One of several bookings was refused, so none is made.

    Attributes:
        resource_id: The resource whose booking was refused.
        error: The refusal.
    """

    def __init__(self, resource_id: int, error: BookingError) -> None:
        super().__init__()
        self.resource_id, self.error = resource_id, error


@dataclass(frozen=True, slots=True)
class Offered:
    """A resource on the page.

    Attributes:
        resource: The resource.
        is_ticked: Whether its box is ticked.
        refusal: Why its booking was refused; empty if it was not.
        is_free: False for a ticked resource that the search does not find.
    """

    resource: Resource
    is_ticked: bool
    refusal: str
    is_free: bool = True


def book_all(keys: Sequence[int], slot: Interval, form: CounterForm, *, request: HttpRequest) -> list[Booking]:
    """Books the slot of each resource for the person, who gets an account first if there is none: all or nothing.

    The resources are locked by ascending id before anything is written: the verb locks a person after a resource, and
    two such calls would wait for each other otherwise.

    Raises:
        Refused: For the first resource whose booking is refused.
        BookingError: When the account cannot be made after all.
    """
    data, act = form.cleaned_data, act_of(request)
    booked = []
    with transaction.atomic():
        list(locked(Resource.objects.filter(pk__in=keys)).values_list("pk"))
        person = form.person or make_account(form, request=request)
        for key in keys:
            try:
                booking = lifecycle.book(
                    user=person,
                    resource_id=key,
                    start_time=slot.start,
                    end_time=slot.end,
                    status=BookingStatus.CONFIRMED if data["at_once"] else None,
                    notes=data["notes"],
                    staff_note=data["staff_note"],
                    act=act,
                    override=data["override"],
                    as_record=True,
                )
            except BookingError as error:
                raise Refused(key, error) from error
            log_addition(request, booking)
            booked.append(booking)
    return booked


def make_account(form: CounterForm, *, request: HttpRequest) -> User:
    """Makes the account of the form, without a password: the person sets one by a reset.

    Raises:
        BookingError: When somebody else took the name or the address at the same moment.
    """
    assert form.account is not None
    try:
        with transaction.atomic():
            person: User = form.account.save()
    except IntegrityError as error:
        raise booking_error_of(error) from error
    log_addition(request, person)
    return person


def log_addition(request: HttpRequest, row: Booking | User) -> None:
    """Writes a row into the admin's own log, as its forms do."""
    model_admin: Any = admin.site.get_model_admin(type(row))
    model_admin.log_addition(request, row, [{"added": {}}])


class CounterPage(StaffPage):
    """Booking for somebody."""

    title = "Book for somebody"
    template_name = "core/desk/book.html"
    styles = (*StaffPage.styles, "core/admin/book.css")
    scripts: ClassVar[tuple[str, ...]] = ("core/admin/book.js",)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - Django's own
        """The search, and what it finds once a day is named."""
        asked = any(request.GET.get(name) for name in ("day", "start", "end"))
        form = CounterForm(initial={"user": request.GET.get("user", "")})
        return self.show(WishForm(request.GET) if asked else self.empty_wish(), form)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Books, or shows the page again with the refusals; `look` shows the person and books nothing."""
        wish, form = WishForm(request.POST), CounterForm(request.POST)
        form.is_valid()
        if "look" in request.POST:
            return self.show(wish, form)
        try:
            keys = resource_keys(request.POST.getlist("resource"), most=MOST_BOOKED)
        except ValidationError as error:
            form.add_error(None, error)
            keys = []
        if not wish.is_valid() or not form.is_valid() or wish.slot is None:
            return self.show(wish, form)
        try:
            booked = book_all(keys, wish.slot, form, request=request)
        except Refused as refused:
            if isinstance(refused.error, ResourceMissing):  # there is no place for it on the page
                form.add_error(None, sentence_of(refused.error))
            form.offer_waivers(refused.error.waivable)
            return self.show(wish, form, {refused.resource_id: sentence_of(refused.error)})
        except BookingError as error:
            form.add_error(None, sentence_of(error))
            return self.show(wish, form)
        self.tell(request, booked)
        asked = {name: request.POST.get(name, "") for name in ("day", "start", "end", "until", "people")}
        return HttpResponseRedirect(f"{reverse('admin:book')}?{urlencode(asked)}")

    def tell(self, request: HttpRequest, booked: Sequence[Booking]) -> None:
        """Says what was booked for whom, with links."""
        person = booked[0].user
        links = format_html_join(
            "; ",
            '<a href="{}"><bdi>{}</bdi></a> ({})',
            (
                (reverse("admin:core_booking_change", args=[each.pk]), each, BookingStatus(each.status).label)
                for each in booked
            ),
        )
        address = f", {person.email}" if person.email else ""
        messages.success(request, format_html("Booked for <bdi>{}</bdi>{}: {}.", person.get_username(), address, links))

    def empty_wish(self) -> WishForm:
        """The search for the next whole hour."""
        start = timezone.localtime().replace(minute=0, second=0, microsecond=0)
        hours = [(start.hour + ahead) % 24 for ahead in (1, 2)]
        day = start.date() if start.hour < 23 else None
        return WishForm(initial={"day": day, "start": f"{hours[0]:02}:00", "end": f"{hours[1]:02}:00", "people": 1})

    def show(self, wish: WishForm, form: CounterForm, refusals: dict[int, str] | None = None) -> HttpResponse:
        """The page; nothing of what was typed is lost."""
        refusals = refusals or {}
        slot = wish.slot if wish.is_bound and wish.is_valid() else None
        found = offered(slot, people=wish.people_wanted, now=timezone.now(), most=MOST_SHOWN + 1) if slot else []
        return self.render_to_response(
            self.get_context_data(
                wish=wish,
                form=form,
                account_fields=[form[name] for name in OF_ACCOUNT],
                slot=slot and in_short(slot, timezone.get_current_timezone()),
                rows=self.rows(found[:MOST_SHOWN], refusals) if slot else [],
                most=MOST_SHOWN,
                is_more=len(found) > MOST_SHOWN,
                errors=form.non_field_errors() if form.is_bound else [],
                media=mark_safe("".join([*form.media.render_css(), *form.media.render_js()])),
                **self.about(form.person),
            )
        )

    def rows(self, found: Sequence[Resource], refusals: dict[int, str]) -> list[Offered]:
        """What was ticked and is not among what the search finds, then what it finds."""
        try:
            ticked = resource_keys(self.request.POST.getlist("resource"), most=MOST_BOOKED)
        except ValidationError:
            ticked = []
        missing = set(ticked) - {each.pk for each in found}
        gone = list(Resource.objects.filter(pk__in=missing)) if missing else []
        return [
            Offered(each, each.pk in ticked, refusals.get(each.pk, ""), is_free=each.pk not in missing)
            for each in (*gone, *found)
        ]

    def about(self, person: User | None) -> dict[str, Any]:
        """The person and their next bookings. One statement."""
        if person is None:
            return {"person": None}
        now, zone = timezone.now(), timezone.get_current_timezone()
        rows = Booking.objects.blocking().filter(user=person).ending_after(now).select_related("resource")
        coming = [(each.resource.name, f"{in_short(each.slot, zone)}, {each.status}") for each in rows[:NEXT]]
        return {"person": person, "coming": coming}
