"""The admin of bookings: another face of the same verbs."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator

from core import lifecycle
from core.admin.booking_form import BookingForm
from core.admin.repeating import RepeatingAdmin, SeriesFilter, series_link
from core.choices import BookingStatus, Decision
from core.desk.deciding import decide
from core.exports.admin import ExportedAdmin
from core.exports.tables import BOOKINGS
from core.history.admin import history_of
from core.intervals import in_short
from core.models import Booking
from core.record.forms import ReasonForm, act_of
from core.staff.base import ForStaff, keys_of
from core.staff.filters import ALL, DaysFilter, NamedFilter, PeriodFilter, default_period
from core.staff.forms import SearchForm, number_in, words_of
from core.staff.links import bookings_link
from core.staff.moments import minutes, named, nowrap

# The columns of a user that a search looks at.
USER_COLUMNS = ("username", "first_name", "last_name", "email")
# The parameters of the list whose values are no words of people.
PLAIN_FILTERS = (
    PeriodFilter.parameter_name,
    *DaysFilter.parameters,
    SeriesFilter.parameter_name,
    "status__exact",
    "resource__id__exact",
    "user__id__exact",
    *(f"start_time__{part}" for part in ("year", "month", "day")),
)


def is_about_ticked(request: HttpRequest) -> bool:
    """True if a bulk action is about the ticked rows, and not about all that the filters of the list leave."""
    return request.POST.get("select_across", "0") == "0"


class SlotFilter(admin.SimpleListFilter):
    """Filters bookings by whether they hold their slot."""

    title = "slot"
    parameter_name = "slot"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("held", "held"), ("given_up", "given up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        if self.value() == "held":
            return queryset.blocking()
        return queryset.exclude(status__in=BookingStatus.blocking()) if self.value() == "given_up" else queryset


@admin.register(Booking)
class BookingAdmin(RepeatingAdmin, ExportedAdmin, ForStaff):
    """Bookings; every write goes through the verbs, which check the rules, lock the rows and write the record."""

    form = BookingForm
    list_display = ("when", "resource_bookings", "user_bookings", "status_word", "beginning_of_notes", "created")
    list_filter = (PeriodFilter, DaysFilter, SlotFilter, "status", SeriesFilter, ("resource", NamedFilter))
    date_hierarchy = "start_time"
    exported = BOOKINGS
    plain_filters = PLAIN_FILTERS
    # Django shows the search where there is a column; `get_search_results` knows them all.
    search_fields = ("notes",)
    search_help_text = (
        "Searches resources, users, notes and the number of a booking, for at most "
        f"{SearchForm.maximum_words} words together."
    )
    autocomplete_fields = ("user", "resource")
    actions: ClassVar = ["confirm", "reject", "cancel", "delete_selected"]

    class Media:
        css: ClassVar = {"all": ["core/admin/lists.css", "core/admin/series.css"]}
        js = ("core/admin/repeat.js", "core/admin/book.js")

    # --- The list -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        """All bookings with the user and the resource that name them."""
        return super().get_queryset(request).in_full()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What comes next first; where all days are shown, the latest first."""
        period = request.GET.get(PeriodFilter.parameter_name) or default_period(request)
        days_are_chosen = any(request.GET.get(name) for name in ("from", "to"))
        return ("-start_time", "-id") if period in (ALL, "over") and not days_are_chosen else ("start_time", "id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        """The bookings with these words, and the booking with that number, written as in mails or without "no."."""
        results = queryset
        for word in words_of(search_term):
            results = results.mentioning(word, of_user=USER_COLUMNS)
        number = number_in(search_term)
        if number is not None:
            results = results | queryset.filter(pk=number)
        return results, False

    # --- Columns ------------------------------------------------------------------------------------------------------

    @admin.display(description=named("when"), ordering="start_time")
    def when(self, booking: Booking) -> str:
        day, times = in_short(booking.slot, timezone.get_current_timezone()).split(" ", 1)
        return format_html("{} {}", nowrap(day), nowrap(times))

    @admin.display(description="resource", ordering="resource__name")
    def resource_bookings(self, booking: Booking) -> str:
        name = bookings_link(booking.resource.name, resource__id__exact=booking.resource_id)
        return format_html("{}<br><small>{}</small>", name, series_link(booking)) if booking.series_id else name

    @admin.display(description="user", ordering="user__username")
    def user_bookings(self, booking: Booking) -> str:
        name = bookings_link(booking.user.get_username(), user__id__exact=booking.user_id)
        return format_html("{}<br><small>{}</small>", name, booking.user.email) if booking.user.email else name

    @admin.display(description="status", ordering="status")
    def status_word(self, booking: Booking) -> str:
        return format_html('<span class="status status-{}">{}</span>', booking.status, booking.get_status_display())

    @admin.display(description="notes")
    def beginning_of_notes(self, booking: Booking) -> str:
        return Truncator(booking.notes).chars(40)

    @admin.display(description=named("created"), ordering="created_at")
    def created(self, booking: Booking) -> str:
        at = timezone.localtime(booking.created_at)
        return format_html("{} {}", *map(nowrap, f"{at:%Y-%m-%d %H:%M}".split()))

    @admin.display(description=named("last changed"), ordering="updated_at")
    def changed(self, booking: Booking) -> str:
        return minutes(booking.updated_at)

    # --- The form -----------------------------------------------------------------------------------------------------

    def get_fieldsets(
        self, request: HttpRequest, obj: Booking | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        """The fields; an existing booking also has its version, its moments, and its series if it is a date of one."""
        moments = ["start_time", "end_time", "zone", "override"]
        if obj is None:
            moments.append("past_confirmed")
        time = {"fields": moments, "description": f"All times are in {timezone.get_current_timezone()}."}
        subject: dict[str, Any] = {"fields": ["user" if obj is None else "owner", "resource"]}
        details: dict[str, Any] = {"fields": ["status", "notes", "staff_note"]}
        if obj is not None:
            details["fields"] = ["status", "reason", "notes", "staff_note", "created", "changed", "seen"]
        return [(None, subject), ("Time", time), *self.series_fieldsets(request, obj), (None, details)]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Also how often, and the times, such as those of a free cell of the timeline, with an offset (ISO 8601)."""
        times: dict[str, Any] = {"repeat": request.GET.get("repeat", "")}
        for name in ("start_time", "end_time"):
            with contextlib.suppress(ValueError, OverflowError):
                times[name] = datetime.fromisoformat(request.GET.get(name, "")).astimezone(UTC)
        return {**super().get_changeform_initial_data(request), **times}

    def get_readonly_fields(self, request: HttpRequest, obj: Booking | None = None) -> tuple[str, ...]:
        """The owner of an existing booking is read-only."""
        return ("owner", "created", "changed", "of_series") if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Booking, form: BookingForm, change: bool) -> None:  # noqa: FBT001
        """Creates a booking as a record (without lead time), or changes the edited fields."""
        data = form.cleaned_data
        if change:
            self.change(request, obj, form)
            return
        if form.repeat_wanted is not None:
            self.book_series(request, obj, form)
            return
        booking = lifecycle.book(
            user=data["user"],
            resource_id=data["resource"].pk,
            start_time=data["start_time"],
            end_time=data["end_time"],
            status=data["status"] or None,
            notes=data["notes"],
            staff_note=data["staff_note"],
            act=act_of(request),
            override=data["override"],
            as_record=True,
        )
        obj.pk, obj.status = booking.pk, booking.status
        obj._state.adding = False

    def response_post_save_add(self, request: HttpRequest, obj: Booking) -> HttpResponse:
        """Leads to the day of the new booking."""
        day = timezone.localtime(obj.start_time).date()
        return HttpResponseRedirect(f"{reverse('admin:core_booking_changelist')}?from={day}&to={day}")

    def delete_model(self, request: HttpRequest, obj: Booking) -> None:
        """Deletes the row; notifies the owner when the deletion cancels a booking."""
        lifecycle.remove(obj, act=act_of(request))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history as the record has it, by whatever channel; Django's own page knows only what the admin did."""
        return super().history_view(request, object_id, {**history_of(object_id), **(extra_context or {})})

    # --- Bulk actions -------------------------------------------------------------------------------------------------

    def response_action(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        """A decision is about every ticked booking, also one that the filters of the list have left out since."""
        is_decision = request.POST.get("action") in Decision.values
        whole = self.get_queryset(request) if is_decision and is_about_ticked(request) else queryset
        return super().response_action(request, whole.order_by("start_time", "pk") if is_decision else whole)

    @admin.action(permissions=["change"], description="Confirm selected bookings")
    def confirm(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        """Confirms the bookings that are pending."""
        self.decide(Decision.CONFIRM, request, list(queryset))

    @admin.action(permissions=["change"], description="Reject selected bookings")
    def reject(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        """Rejects the bookings that are pending."""
        return self.ask_first(Decision.REJECT, request, queryset)

    @admin.action(permissions=["change"], description="Cancel selected bookings")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        """Cancels the bookings that block their slot."""
        return self.ask_first(Decision.CANCEL, request, queryset)

    def ask_first(self, decision: Decision, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        """Decides after a page that names the bookings and asks for a reason; no answer before that."""
        bookings = list(queryset)
        if not bookings:
            return self.decide(decision, request, bookings)
        is_required = decision == Decision.REJECT and any(each.resource.reason_required for each in bookings)
        answered = bool(request.POST.get("post"))
        form = ReasonForm(request.POST if answered else None, is_required=is_required)
        if answered and form.is_valid():
            return self.decide(decision, request, bookings, reason=form.cleaned_data["reason"])
        number = "this booking" if len(bookings) == 1 else f"these {len(bookings)} bookings"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{decision.capitalize()} {number}",
            "question": f"Do you want to {decision} {number}?",
            "verb": decision.value,
            "form": form,
            "bookings": bookings,
            "keys": keys_of(bookings),
        }
        return TemplateResponse(request, "admin/core/booking/ask_first.html", context)

    def decide(
        self, decision: Decision, request: HttpRequest, bookings: Sequence[Booking], *, reason: str = ""
    ) -> None:
        """Decides on each booking in its own transaction, and reports every failure with its reason."""
        gone: set[int] = set()
        if is_about_ticked(request):
            gone = {int(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)} - {each.pk for each in bookings}
        decide(decision, request, bookings, reason=reason, gone=gone)

    def describe(self, obj: Booking) -> str:
        return f"Booking {obj.pk} ({obj})"
