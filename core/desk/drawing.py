"""The cells of the timeline as HTML.

A page has thousands of cells, and a template of Django needs a third of a millisecond for each. So the forms of the
cells stand here; every value in them is escaped.
"""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from core.desk.timeline import Cell, DayOfWeek, Entry, Line

BOOKING = (
    '<a class="entry {kind}" href="{address}{id}#booking" data-booking="{id}" data-seen="{seen}" data-start="{starts}" '
    'data-end="{ends}"><b>{name}</b> <small>{clocks} {kind}</small></a>'
)
CLOSURE = '<a class="entry closure" href="{address}"><b>{name}</b> <small>{clocks} closure</small></a>'
FREE = (
    '<a{attributes} href="{add}?resource={resource}&amp;start_time={starts}&amp;end_time={ends}" data-start="{starts}" '
    'data-end="{ends}" aria-label="free: book {name} {when}">free</a>'
)


class Pen:
    """Draws the cells of a page.

    Args:
        zone: The zone of the page.
        with_booking: The address of the page up to the id of a chosen booking.
    """

    def __init__(self, zone: ZoneInfo, *, with_booking: str) -> None:
        self.zone, self.with_booking = zone, escape(with_booking)
        self.add = reverse("admin:core_booking_add")
        self.clocks: dict[datetime, str] = {}

    def line(self, line: Line) -> SafeString:
        """The cells of a resource."""
        cells = [self.cell(line, cell) for cell in line.cells] + [self.day(line, day) for day in line.days]
        return mark_safe("".join(cells))  # noqa: S308 - each value is escaped

    def cell(self, line: Line, cell: Cell) -> str:
        if cell.kind == "free":
            link = self.free(line, cell, f"at {self.clock(cell.span.start)}")
            return f'<td class="free" colspan="{cell.width}">{link}</td>'
        if cell.kind == "closed":
            words = escape(f"closed: {cell.name}" if cell.name else "closed")
            return f'<td class="closed" colspan="{cell.width}" title="{words}"><span>{words}</span></td>'
        return f'<td class="taken {cell.kind}" colspan="{cell.width}">{"".join(map(self.entry, cell.entries))}</td>'

    def day(self, line: Line, day: DayOfWeek) -> str:
        """A day of a week."""
        local = day.day.start.astimezone(self.zone)
        hours = f'<span class="hours">{escape(day.closed)}</span>' if day.closed else ""
        free = self.free(line, day, f"on {local:%d %B}", ' class="free"') if day.free_from else ""
        kind = "closed" if day.is_closed else "open"
        entries = "".join(map(self.entry, day.entries))
        return f'<td class="{kind}" data-day="{local:%Y-%m-%d}">{hours}{entries}{free}</td>'

    def free(self, line: Line, span: Cell | DayOfWeek, when: str, attributes: str = "") -> str:
        """The link from free time to the form of a new booking."""
        return FREE.format(
            attributes=attributes,
            add=self.add,
            resource=line.resource.pk,
            starts=span.starts,
            ends=span.ends,
            name=escape(line.resource.name),
            when=when,
        )

    def entry(self, entry: Entry) -> str:
        """A booking, or a closure."""
        clocks = f"{self.clock(entry.slot.start)}–{self.clock(entry.slot.end)}"
        if entry.is_closure:
            address = reverse("admin:core_closure_change", args=[entry.id])
            return CLOSURE.format(address=address, name=escape(entry.name), clocks=clocks)
        return BOOKING.format(
            kind=entry.kind,
            address=self.with_booking,
            id=entry.id,
            seen=entry.seen,
            starts=entry.starts,
            ends=entry.ends,
            name=escape(entry.name),
            clocks=clocks,
        )

    def clock(self, moment: datetime) -> str:
        """The time of day; most bookings of a page share a few moments."""
        known = self.clocks.get(moment)
        if known is None:
            known = self.clocks[moment] = f"{moment.astimezone(self.zone):%H:%M}"
        return known
