"""The admin of the record: a list of all acts that nobody can edit, and the history of one booking."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from core.history.lines import actor_of, lines_of
from core.models import Booking, Series
from core.record.facts import facts_of, name_in
from core.record.kinds import EventKind, Part, SeriesKind
from core.record.models import BookingEvent
from core.staff.base import ForStaff
from core.staff.filters import DaysFilter, PersonFilter
from core.staff.forms import is_key, number_in
from core.staff.links import booking_link
from core.staff.moments import named, nowrap, to_the_second

# How many acts the history of a booking shows.
SHOWN = 50
# How many characters of a text a table shows; the page of the act has all of it.
BEGINNING = 200


class PeopleFilter(PersonFilter):
    """Filters acts by the owner or the actor."""

    people = ("owner", "actor")


class DaysOfActFilter(DaysFilter):
    """Filters acts by the day on which they were done."""

    since, until = "at__gte", "at__lt"


@admin.register(BookingEvent)
class ActAdmin(ForStaff):
    """Acts, newest first."""

    list_display = ("when", "kind", "booking_and_owner", "who", "way", "why")
    list_filter = ("kind", PeopleFilter, DaysOfActFilter)
    list_select_related = ("owner", "actor")
    search_fields = ("request_id",)
    search_help_text = "Searches the number of a booking and the id of a request."
    sortable_by = ()
    actions = None
    readonly_fields = (
        *("when", "kind", "booking", "series", "of", "who", "way", "reason", "changes", "dates", "handed_on"),
    )

    class Media:
        css = {"all": ["core/admin/lists.css"]}  # noqa: RUF012 - Django's own

    # --- Nobody writes ------------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only the verbs write acts."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: BookingEvent | None = None) -> bool:
        """The database refuses changes, too."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BookingEvent | None = None) -> bool:
        """Only the clean-up deletes acts."""
        return False

    # --- The list -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[BookingEvent]:
        """All acts, each with whether its booking and its series still exist."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                exists=Exists(Booking.objects.filter(pk=OuterRef("booking_id"))),
                series_exists=Exists(Series.objects.filter(pk=OuterRef("series_id"))),
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BookingEvent], search_term: str
    ) -> tuple[QuerySet[BookingEvent], bool]:
        """The acts on the booking with that number, and the acts of the request with that id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = number_in(term)
        found = Q(request_id=term) if number is None else Q(request_id=term) | Q(booking_id=number)
        return queryset.filter(found), False

    def get_fields(self, request: HttpRequest, obj: BookingEvent | None = None) -> list[str]:
        """What is there to tell: most acts are about no series."""
        assert obj is not None
        hidden = {
            "booking": obj.booking_id is None and obj.series_id is not None,
            "series": obj.series_id is None,
            "dates": obj.kind not in SeriesKind.values,
        }
        return [name for name in self.readonly_fields if not hidden.get(name)]

    # --- Columns ------------------------------------------------------------------------------------------------------

    @admin.display(description=named("when"))
    def when(self, row: BookingEvent) -> str:
        return format_html("{} {}", *map(nowrap, to_the_second(row.at).split()))

    @admin.display(description="booking")
    def booking(self, row: BookingEvent) -> str:
        """The name of the booking after the act, with the way to its page while there is one; `-` for an export."""
        if row.booking_id is None:
            return "-"
        return booking_link(row.booking_id, name_in(facts_of(row)), is_there=row.exists)

    @admin.display(description="booking")
    def booking_and_owner(self, row: BookingEvent) -> str:
        """The booking or the series, and below it the way to all acts of its owner; nothing for an export."""
        more = self.of(row) if row.owner else ""
        if row.booking_id is not None:
            return booking_link(row.booking_id, name_in(facts_of(row)), more=more, is_there=row.exists)
        if row.series_id is None:
            return "-"
        return format_html("{}<br><small>{}</small>", self.series(row), more) if more else self.series(row)

    @admin.display(description="series")
    def series(self, row: BookingEvent) -> str:
        """The series with the way to its page while there is one; for a date, also the way to the act on the series."""
        if row.series_id is None:
            return "-"
        name = f"series {row.series_id}"
        page = reverse("admin:core_series_change", args=[row.series_id])
        shown = format_html('<a href="{}">{}</a>', page, name) if row.series_exists else name
        if row.series_act_id is None:
            return format_html("{}, {}", row.facts["after"]["resource"]["name"], shown)
        act = reverse("admin:core_bookingevent_change", args=[row.series_act_id])
        return format_html('{}, with <a href="{}">act {}</a>', shown, act, row.series_act_id)

    @admin.display(description="owner")
    def of(self, row: BookingEvent) -> str:
        return link_to_acts(row.owner.get_username(), person=row.owner.get_username()) if row.owner else "-"

    @admin.display(description="who")
    def who(self, row: BookingEvent) -> str:
        """The actor as the record names them, with the way to all their acts, and their part."""
        name = actor_of(row)
        linked = link_to_acts(name, person=row.actor.get_username()) if row.actor else name
        return name if row.part == Part.SYSTEM else format_html("{} <small>{}</small>", linked, nowrap(f"({row.part})"))

    @admin.display(description="channel")
    def way(self, row: BookingEvent) -> str:
        """The channel, and the id of the request below it."""
        if not row.request_id:
            return row.channel
        return format_html('{}<br><small class="request">{}</small>', row.channel, row.request_id)

    @admin.display(description="why")
    def why(self, row: BookingEvent) -> str:
        return Truncator(row.reason).chars(60) or "-"

    # --- The page of an act -------------------------------------------------------------------------------------------

    @admin.display(description="what changed")
    def changes(self, row: BookingEvent) -> str:
        return in_lines(lines_of(row)) or "-"

    @admin.display(description="dates")
    def dates(self, row: BookingEvent) -> str:
        """Each date that an act on a series changed, with the way to its own act. One statement."""
        of_dates = sorted(BookingEvent.objects.filter(series_act_id=row.pk), key=lambda each: each.pk)
        return (
            format_html_join(
                mark_safe("<br>"),
                '<a href="{}">{}</a>: {}',
                (
                    (
                        reverse("admin:core_bookingevent_change", args=[each.pk]),
                        name_in(facts_of(each)),
                        "; ".join(lines_of(each))
                        if each.kind != EventKind.CREATED
                        else each.facts["after"]["booking"]["status"],
                    )
                    for each in of_dates
                ),
            )
            or "-"
        )

    @admin.display(description=named("handed on"))
    def handed_on(self, row: BookingEvent) -> str:
        return to_the_second(row.handed_at) if row.handed_at else "not yet"


def link_to_acts(text: str, **filters: object) -> SafeString:
    """A link to the list of acts with these filters."""
    return format_html(
        '<a href="{}?{}">{}</a>', reverse("admin:core_bookingevent_changelist"), urlencode(filters), text
    )


def in_lines(lines: list[str]) -> SafeString:
    """The lines below each other."""
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))


def history_of(booking_id: str) -> dict[str, Any]:
    """What the history page of a booking shows: its latest acts, and the way to all of them if there are more."""
    rows = list(BookingEvent.objects.filter(booking_id=booking_id)[: SHOWN + 1]) if is_key(booking_id) else []
    return {
        "acts": [
            {
                "row": row,
                "who": actor_of(row),
                "changes": in_lines([Truncator(line).chars(BEGINNING) for line in lines_of(row)]),
            }
            for row in rows[:SHOWN]
        ],
        "all_acts": link_to_acts("All acts on this booking", booking_id__exact=booking_id) if rows[SHOWN:] else "",
    }
