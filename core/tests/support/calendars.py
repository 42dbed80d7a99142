"""The library's own calendar files, to compare ours with."""

from icalendar import Calendar, Event, vCalAddress, vDuration, vText

from core.calendars.entries import PRODUCT, REFRESH, Entry

ORGANISER = "noreply@bookingsystem.local"


def library_feed(entries: list[Entry], *, name: str) -> bytes:
    """The file of a feed as `icalendar` writes it."""
    calendar = library_calendar("PUBLISH")
    # icalendar does not know that both are texts, and would not escape plain strings.
    calendar.add("name", vText(name), encode=False)
    calendar.add("x-wr-calname", vText(name), encode=False)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for entry in entries:
        calendar.add_component(library_event(entry, invited=False))
    return calendar.to_ical()


def library_invitation(entry: Entry, *, method: str) -> bytes:
    """The file of one booking as `icalendar` writes it."""
    calendar = library_calendar(method)
    calendar.add_component(library_event(entry, invited=method != "PUBLISH"))
    return calendar.to_ical()


def library_calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def library_event(entry: Entry, *, invited: bool) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed)
    event.add("created", entry.created)
    event.add("last-modified", entry.changed)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("status", entry.status)
    event.add("summary", entry.summary)
    event.add("location", entry.location)
    event.add("transp", "OPAQUE")
    if entry.notes:
        event.add("description", entry.notes)
    organiser = vCalAddress(f"mailto:{ORGANISER}")
    organiser.params["CN"] = vText("Booking system")
    event.add("organizer", organiser, encode=False)
    if entry.attendee and entry.attendee.isprintable() and invited:
        attendee = vCalAddress(f"mailto:{entry.attendee}")
        attendee.params["CN"] = vText(entry.attendee_name.replace('"', "'"))
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        event.add("attendee", attendee, encode=False)
    elif entry.attendee_name:
        event.add("contact", entry.attendee_name)
    return event
