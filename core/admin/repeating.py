"""The part of the admin of bookings that is about series: bookings that repeat, and the dates of a series."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import lifecycle
from core.admin.booking_form import BookingForm
from core.choices import IfRefused, Scope
from core.errors import DatesRefused
from core.models import Booking, Series
from core.record.forms import act_of
from core.record.series import repetition_text
from core.series import repeat_form
from core.series.dates import refused_dates
from core.staff.forms import is_key

# What the form that books the other dates does not send again.
OWN = ("csrfmiddlewaretoken", "on_conflict")


class SeriesFilter(admin.SimpleListFilter):
    """Filters bookings by whether they are dates of a series, or by one series; the page of a series leads here."""

    title = "series"
    parameter_name = "series"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        named = request.GET.get(self.parameter_name, "")
        one = [(named, f"series {named}")] if is_key(named) else []
        return [("any", "dates of a series"), ("none", "no date of a series"), *one]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        value = self.value()
        if value in ("any", "none"):
            return queryset.filter(series__isnull=value == "none")
        return queryset.filter(series=value) if value and is_key(value) else queryset


def series_link(booking: Booking) -> SafeString:
    """The way to the series of a date."""
    page = reverse("admin:core_series_change", args=[booking.series_id])
    return format_html('<a href="{}">series {}</a>', page, booking.series_id)


class RepeatingAdmin:
    """Adds series to the admin of bookings."""

    change_form_template = "admin/core/booking/change_form.html"

    def series_fieldsets(self, request: HttpRequest, obj: Booking | None) -> list[tuple[str | None, dict[str, Any]]]:
        """How a new booking repeats; of a date of a series, which dates a change is about."""
        if obj is None:
            repeats = request.POST.get("repeat") or request.GET.get("repeat")
            classes = [] if repeats else ["collapse"]
            return [("Repeat", {"fields": list(repeat_form.FIELDS), "classes": classes})]
        if obj.series_id is None:
            return []
        return [("Series", {"fields": ["of_series", "scope", "reset_exceptions"]})]

    @admin.display(description="series")
    def of_series(self, booking: Booking) -> str:
        series = booking.series
        return format_html("{}: {}", series_link(booking), repetition_text(series))

    # --- Writing ------------------------------------------------------------------------------------------------------

    def book_series(self, request: HttpRequest, obj: Booking, form: BookingForm) -> None:
        """Books the dates of a series; the new row of the form becomes the first of them.

        Raises:
            BookingError: When a date is refused and all are wanted, or of the rule.
        """
        data = form.cleaned_data
        outcome = lifecycle.book_series(
            user=data["user"],
            resource_id=data["resource"].pk,
            repeat=form.repeat_wanted,
            status=data["status"] or None,
            notes=data["notes"],
            staff_note=data["staff_note"],
            on_conflict=form.if_refused,
            act=act_of(request),
            override=data["override"],
        )
        first, obj.series = outcome.bookings[0], outcome.series
        obj.pk, obj.status, obj.start_time, obj.end_time = first.pk, first.status, first.start_time, first.end_time
        obj._state.adding = False
        page, skipped = reverse("admin:core_series_change", args=[outcome.series.pk]), len(outcome.skipped)
        number = "1 date" if len(outcome.bookings) == 1 else f"{len(outcome.bookings)} dates"
        left_out = f"; {skipped} not booked, see below" if skipped else ""
        link = format_html('<a href="{}">{}</a>', page, outcome.series.rule_text)
        self.message_user(
            request, format_html("Booked {} for {}: {}{}.", number, data["user"], link, left_out), messages.SUCCESS
        )

    def change(self, request: HttpRequest, obj: Booking, form: BookingForm) -> None:
        """Changes the edited fields of a booking, or of dates of its series.

        Raises:
            BookingError: When the rules refuse it.
        """
        data, changes = form.cleaned_data, form.changes
        act, expected = act_of(request, data["reason"]), (form.initial["status"],) if changes.status else ()
        how = {"changes": changes, "act": act, "expected": expected, "override": data["override"]}
        if form.scope_wanted == Scope.THIS:
            lifecycle.change(obj, **how)
            return
        resets = bool(data.get("reset_exceptions"))
        after = lifecycle.change_dates(obj, scope=form.scope_wanted, reset_exceptions=resets, **how)
        obj.series = after.series
        request.changed_scope = form.scope_wanted

    # --- Answers ------------------------------------------------------------------------------------------------------

    def log_addition(self, request: HttpRequest, obj: Booking, message: Any) -> Any:  # noqa: ANN401 - Django's own
        """Writes into the admin's own log what was made: the series, or the booking."""
        if obj.series is not None:
            return admin.site.get_model_admin(Series).log_addition(request, obj.series, message)
        return super().log_addition(request, obj, message)

    def response_add(self, request: HttpRequest, obj: Booking, post_url_continue: str | None = None) -> HttpResponse:
        """Leads to the page of a new series."""
        if obj.series is None or IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        again = "_addanother" in request.POST
        return HttpResponseRedirect(
            request.path if again else reverse("admin:core_series_change", args=[obj.series.pk])
        )

    def response_change(self, request: HttpRequest, obj: Booking) -> HttpResponse:
        """Leads to the page of the series after a change of several dates."""
        scope = getattr(request, "changed_scope", None)
        if scope is None or obj.series is None or IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        self.message_user(request, f"Changed: {scope.label}.", messages.SUCCESS)
        page = "core_booking_change" if "_continue" in request.POST else "core_series_change"
        key = obj.pk if "_continue" in request.POST else obj.series.pk
        return HttpResponseRedirect(reverse(f"admin:{page}", args=[key]))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 - Django's own
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Booking | None = None,
    ) -> HttpResponse:
        """The form, with the refused dates of a series above it, and the way to book the others."""
        error = getattr(request, "save_error", None)
        if isinstance(error, DatesRefused):
            context["refused"] = refused_dates(error)
            context["number_of_others"] = error.of - len(error.dates) if obj is None else 0
            context["sent"] = [(key, each) for key, values in request.POST.lists() if key not in OWN for each in values]
            context["others_only"] = IfRefused.SKIP
        return super().render_change_form(request, context, add, change, form_url, obj)
