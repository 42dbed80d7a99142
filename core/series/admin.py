"""The admin of series: what repeats, for whom, and its dates with the decisions on chosen ones."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, Min, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from core import lifecycle
from core.choices import Decision
from core.errors import BookingError
from core.models import Booking, Series
from core.record.forms import ReasonForm, act_of
from core.record.series import clock_text
from core.series.dates import refused_dates, rows_of, times_of
from core.series.deciding import Wanted, wanted_in
from core.staff.base import ForStaff
from core.staff.filters import NamedFilter, PersonFilter
from core.staff.forms import number_in
from core.staff.links import bookings_link
from core.staff.moments import minutes, named, sentence_of


class ComingSeriesFilter(admin.SimpleListFilter):
    """Filters series by whether they have dates to come."""

    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("coming", "with dates to come"), ("over", "without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Series]) -> QuerySet[Series]:
        if self.value() not in ("coming", "over"):
            return queryset
        has_coming = Exists(coming_dates())
        return queryset.filter(has_coming if self.value() == "coming" else ~has_coming)


def coming_dates() -> QuerySet[Booking]:
    """The dates of the series of an outer query that hold their slots and are not over."""
    return Booking.objects.blocking().filter(series=OuterRef("pk"), end_time__gt=timezone.now()).order_by()


@admin.register(Series)
class SeriesAdmin(ForStaff):
    """Series; the verbs write them, and the form of a booking makes them."""

    list_display = ("rule_words", "clock", "resource_name", "person", "next_date", "number_to_come")
    list_filter = (ComingSeriesFilter, ("resource", NamedFilter), PersonFilter)
    list_select_related = ("resource", "user")
    search_fields = ("resource__name", "user__username", "user__first_name", "user__last_name", "user__email", "notes")
    search_help_text = "Searches resources, people, notes and the number of a series."
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    change_list_template = "admin/core/series/change_list.html"
    change_form_template = "admin/core/series/change_form.html"
    readonly_fields = ("rule_words", "clock", "resource_name", "owner", "parts", "left_out", "further", "made")

    class Media:
        css: ClassVar = {"all": ["core/admin/lists.css", "core/admin/series.css"]}

    # --- The list -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Series]:
        """All series, each with its next date and the number of those to come."""
        coming = coming_dates().values("series")
        return (
            super()
            .get_queryset(request)
            .annotate(
                next_start=Subquery(coming.annotate(first=Min("start_time")).values("first")),
                to_come=Subquery(coming.annotate(number=Count("pk")).values("number")),
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Series], search_term: str
    ) -> tuple[QuerySet[Series], bool]:
        """The series with these words, and the series with that number."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        number = number_in(search_term)
        return (found if number is None else found | queryset.filter(pk=number)), may_have_duplicates

    # --- Columns ------------------------------------------------------------------------------------------------------

    @admin.display(description="rule")
    def rule_words(self, series: Series) -> str:
        return series.rule_text

    @admin.display(description="clock")
    def clock(self, series: Series) -> str:
        return f"{clock_text(series)} {series.time_zone}"

    @admin.display(description="resource")
    def resource_name(self, series: Series) -> str:
        return bookings_link(series.resource.name, resource__id__exact=series.resource_id)

    @admin.display(description="user")
    def person(self, series: Series) -> str:
        return bookings_link(series.user.get_username(), user__id__exact=series.user_id)

    @admin.display(description=named("next date"))
    def next_date(self, series: Series) -> str:
        return minutes(series.next_start) if series.next_start else "-"

    @admin.display(description="to come")
    def number_to_come(self, series: Series) -> str:
        number = series.to_come or 0
        return bookings_link(str(number), series=series.pk, when="upcoming", slot="held") if number else "0"

    # --- The page -----------------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Series | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        """What the series is; most series have no earlier or later part, and no date left out or added."""
        assert obj is not None
        later = list(obj.later.order_by("pk"))
        obj.parts_of_it = [("previous", obj.previous_id), *(("later", each.pk) for each in later)]
        shown = {
            "parts": bool(obj.previous_id or later),
            "left_out": bool(obj.exdates),
            "further": bool(obj.rdates),
        }
        names = ["rule_words", "clock", "resource_name", "owner", "parts", "left_out", "further", "made", "notes"]
        return [(None, {"fields": [name for name in names if shown.get(name, True)]})]

    @admin.display(description="other parts")
    def parts(self, series: Series) -> str:
        """The series that it was a part of, and those that were parted from it."""
        links = [
            (f"{name}: ", reverse("admin:core_series_change", args=[pk]), pk) for name, pk in series.parts_of_it if pk
        ]
        return format_html_join(", ", '{}<a href="{}">series {}</a>', links)

    @admin.display(description="left out")
    def left_out(self, series: Series) -> str:
        return times_of(series.exdates)

    @admin.display(description="further dates")
    def further(self, series: Series) -> str:
        return times_of(series.rdates)

    @admin.display(description=named("made"))
    def made(self, series: Series) -> str:
        by = series.created_by.get_username() if series.created_by else "a deleted account"
        return format_html("{} by {}", minutes(series.created_at), by)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page, with one button to save the notes."""
        own = {"show_save_and_add_another": False, "show_save_and_continue": False, "show_delete": False}
        return super().change_view(request, object_id, form_url, {**own, **(extra_context or {})})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 - Django's own
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Series | None = None,
    ) -> HttpResponse:
        """The page with the dates of the series."""
        assert obj is not None
        rows = rows_of(obj, now=timezone.now())
        own = {
            "title": f"Series {obj.pk}: {obj.rule_text}",
            "subtitle": None,
            "rows": rows,
            "number_open": sum(row.is_open for row in rows),
            "dates": ReasonForm(),
            "list_of_bookings": bookings_link("The dates as a list of bookings", series=obj.pk),
        }
        return super().render_change_form(request, {**context, **own}, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Series, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Changes the notes of the series, and of its coming dates without notes of their own."""
        if "notes" in form.changed_data:
            lifecycle.change_notes(obj, notes=form.cleaned_data["notes"], act=act_of(request))

    def response_post_save_change(self, request: HttpRequest, obj: Series) -> HttpResponse:
        """Stays on the page."""
        return HttpResponseRedirect(reverse("admin:core_series_change", args=[obj.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The form of a booking makes series; the list leads there."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Series | None = None) -> bool:
        """Staff cancel the dates of a series; the series and its dates stay in the lists."""
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Leads to the acts of the record on the series and its dates."""
        series = self.get_object(request, unquote(object_id))
        if series is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        query = urlencode({"series_id__exact": series.pk})
        return HttpResponseRedirect(f"{reverse('admin:core_bookingevent_changelist')}?{query}")

    # --- The dates ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        dates = path("<path:object_id>/dates/", self.admin_site.admin_view(self.dates_view), name="core_series_dates")
        return [dates, *super().get_urls()]

    def dates_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Decides on chosen dates, or cancels all that are to come after a page that asks."""
        series = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, series):
            raise PermissionDenied
        if series is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        page = HttpResponseRedirect(reverse("admin:core_series_change", args=[series.pk]))
        wanted = wanted_in(request.POST)
        if wanted is None:
            return page
        if wanted.ids is None and not wanted.is_whole:
            self.message_user(request, "The selection cannot be read. Nothing was changed.", messages.ERROR)
            return page
        if not wanted.ids and not wanted.is_whole:
            self.message_user(request, "Tick at least one date. Nothing was changed.", messages.WARNING)
            return page
        is_required = wanted.decision == Decision.REJECT and series.resource.reason_required
        form = ReasonForm(request.POST, is_required=is_required)
        if not form.is_valid() or (wanted.is_whole and not wanted.is_sure):
            return self.ask(request, series, wanted, form)
        try:
            done = lifecycle.decide_some(
                series,
                wanted.decision.status,
                ids=None if wanted.is_whole else wanted.ids,
                expected=wanted.decision.about,
                act=act_of(request, form.cleaned_data["reason"]),
            )
        except BookingError as error:
            form.add_error(None, sentence_of(error))
            return self.ask(request, series, wanted, form, error)
        self.tell(request, series, wanted, done)
        return page

    def tell(self, request: HttpRequest, series: Series, wanted: Wanted, done: Sequence[Booking]) -> None:
        """Says how many dates were decided, and writes it into the admin's own log."""
        if not done:
            states = " or ".join(status.label for status in wanted.decision.about)
            self.message_user(request, f"None of these dates is {states}. Nothing was changed.", messages.WARNING)
            return
        number = "1 date" if len(done) == 1 else f"{len(done)} dates"
        sentence = f"{number} {wanted.decision.status.label}."
        left = 0 if wanted.ids is None or wanted.is_whole else len(wanted.ids) - len(done)
        if left:
            sentence += f" {left} left as {'it was' if left == 1 else 'they were'}."
        self.log_change(request, series, sentence)
        self.message_user(request, sentence, messages.SUCCESS)

    def ask(
        self,
        request: HttpRequest,
        series: Series,
        wanted: Wanted,
        form: ReasonForm,
        error: BookingError | None = None,
    ) -> HttpResponse:
        """The page that asks once more, with the chosen dates, the reason, and what was refused."""
        rows = rows_of(series, now=timezone.now(), ticked=wanted.ids or ())
        if wanted.is_whole:
            rows = [row for row in rows if row.is_open]
        else:
            rows = [row for row in rows if row.booking and row.booking.pk in (wanted.ids or ())]
        what = f"all {len(rows)} dates to come" if wanted.is_whole else "these dates"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "original": series,
            "rule": series.rule_text,
            "title": f"{wanted.decision.label.capitalize()} {what}",
            "verb": wanted.decision.value,
            "wanted": wanted,
            "rows": rows,
            "dates": form,
            "refused": refused_dates(error),
        }
        return TemplateResponse(request, "admin/core/series/decide.html", context)
