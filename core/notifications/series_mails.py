"""The letters about acts on series: one for each act, which lists its dates."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.choices import BookingStatus
from core.errors import why_skipped
from core.errors.base import in_words
from core.intervals import Interval
from core.models import Booking, Series
from core.notifications import links
from core.notifications.contexts import (
    RESOURCE_IN_SUBJECT,
    USER_IN_SUBJECT,
    Context,
    Difference,
    Fact,
    Letter,
    actor_name,
    owner_name,
    possessive,
)
from core.notifications.dates import facts_of_dates
from core.notifications.invitations import has_too_many_files, series_attachments
from core.notifications.messages import MAX_SLOTS
from core.notifications.recipients import Recipient
from core.notifications.words import lines, one_line, shortened
from core.record.facts import Event, Facts, event_of, without_words
from core.record.kinds import EventKind, SeriesKind
from core.record.series import SeriesEvent, clock_text, repetition_text, series_event_of, without_words_of_series
from core.recurrence import slot_at

RULE_IN_SUBJECT = 80


@dataclass(frozen=True, slots=True)
class Line:
    """A date in a list: its time, and a remark."""

    when: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class DateList:
    """A list of dates: its title, its first lines, and the number of the others."""

    title: str
    lines: Sequence[Line]
    more: int


def series_letter(facts: Facts, recipient: Recipient) -> Letter:
    """Returns the letter about an act on a series; the owner gets calendar files with it."""
    told = facts_of_dates(facts["act"])
    if not recipient.is_confirmed:
        facts, told = without_words_of_series(facts), [without_words(each) for each in told]
    event, dates = series_event_of(facts), [event_of(each) for each in told]
    files = () if recipient.for_staff else series_attachments(dates, address=recipient.address)
    return Letter(template_of(event, dates), series_context(event, dates, facts["number"], recipient), files)


def template_of(event: SeriesEvent, dates: Sequence[Event]) -> str:
    """The name of the templates."""
    if event.kind == SeriesKind.MADE:
        return "series_made"
    if event.kind == SeriesKind.CANCELLED:
        return "series_cancelled"
    kinds = {date.kind for date in dates}
    return "series_decided" if kinds in ({EventKind.CONFIRMED}, {EventKind.REJECTED}) else "series_changed"


def series_context(event: SeriesEvent, dates: Sequence[Event], number: int, recipient: Recipient) -> Context:
    """Returns the context of every message about a series.

    Args:
        event: The act.
        dates: The dates that it changed, as far as the record has them.
        number: The number of these dates.
        recipient: The recipient of the message.
    """
    series, before, by, for_staff = event.after, event.before, event.by, recipient.for_staff
    owner, resource = owner_name(series.user, recipient), one_line(series.resource.name)
    by_owner = by is not None and by.pk == series.user_id
    statuses = Counter(str(date.after.status) for date in dates)
    status = next(iter(statuses)) if len(statuses) == 1 else ""
    topic = f"{shortened(resource, RESOURCE_IN_SUBJECT)}, {shortened(series.rule_text, RULE_IN_SUBJECT)}"
    facts = [Fact("Resource", resource), Fact("Repeats", repetition_text(series))]
    if statuses:
        facts.append(Fact("Status", status or ", ".join(f"{count} {name}" for name, count in statuses.items())))
    if for_staff:
        facts.append(Fact("For", f"{owner} <{series.user.email}>" if series.user.email else owner))
        topic += f" ({shortened(owner, USER_IN_SUBJECT)})"
    facts.append(Fact("Series", f"no. {series.pk}"))
    is_new_text = before is not None and before.notes != series.notes
    return {
        "home": links.series_home(series.pk),
        "topic": topic,
        "resource": resource,
        "number": number,
        "skipped": len(event.skipped),
        "status": status,
        "waits": status == BookingStatus.PENDING and series.resource.requires_approval,
        "owner": owner,
        "by_owner": by_owner,
        "actor": actor_name(by, by_owner=by_owner, for_staff=for_staff),
        "whose": possessive(owner, by_owner=by_owner, for_staff=for_staff),
        "facts": facts,
        "differences": [] if before is None else differences_of(before, series),
        "notes_changed": is_new_text,
        "notes_before": lines(before.notes) if before is not None else [],
        "notes": lines(series.notes),
        "reason": lines(event.reason),
        "lists": [*list_of("Skipped", skipped_lines(event, recipient)), *lists_of(dates, recipient)],
        "dates_zone": str(recipient.zone),
        "files_left_out": not for_staff and has_too_many_files(dates),
        "series_url": links.series_url(series.pk),
        "series_calendar": links.series_calendar_url(series.pk),
    }


def differences_of(before: Series, after: Series) -> list[Difference]:
    """How the series changed; a new series of the following dates has always another rule, which is no news."""
    pairs = [("Resource", one_line(before.resource.name), one_line(after.resource.name))]
    if before.pk == after.pk:
        pairs.append(("Repeats", before.rule_text, after.rule_text))
    # The words of a difference are "from" and "to".
    pairs.append(("Time", clock_text(before).replace(" to ", "–"), clock_text(after).replace(" to ", "–")))
    return [Difference(name, old, new) for name, old, new in pairs if old != new]


# --- The lists --------------------------------------------------------------------------------------------------------


def list_of(title: str, told: Sequence[Line]) -> Iterable[DateList]:
    """Yields the list of some lines; nothing without lines."""
    if told:
        yield DateList(
            f"{title}: {len(told)} date{'' if len(told) == 1 else 's'}", told[:MAX_SLOTS], len(told[MAX_SLOTS:])
        )


def lists_of(dates: Sequence[Event], recipient: Recipient) -> Iterable[DateList]:
    """Yields the dates by what became of them."""
    groups: dict[str, list[Line]] = {name: [] for name in ("Booked", "Confirmed", "Rejected", "Changed", "Cancelled")}
    for date in dates:
        groups[group_of(date)].append(line_of(date, recipient))
    for title, told in groups.items():
        yield from list_of(title, told)


def group_of(date: Event) -> str:
    """The title of the list that has a date."""
    if date.before is None:
        return "Booked"
    decided = {
        EventKind.CONFIRMED: "Confirmed",
        EventKind.REJECTED: "Rejected",
        EventKind.CANCELLED: "Cancelled",
    }
    return decided.get(date.kind, "Changed")


def line_of(date: Event, recipient: Recipient) -> Line:
    """The line of a date: its time, and before that its time before the act if that was another one."""
    before, after = date.before, date.after
    if before is None or (before.slot == after.slot and before.resource_id == after.resource_id):
        when = span_of(after.slot, recipient)
    else:
        when = f"{span_of(before.slot, recipient)} → {moved_to(before, after, recipient)}"
    is_revived = before is not None and before.status != after.status and after.status == BookingStatus.PENDING
    return Line(when, "Pending now." if is_revived else "")


def moved_to(before: Booking, after: Booking, recipient: Recipient) -> str:
    """The new time of a date, without the day if it stays the same, and the resource if that is another one."""
    old, new = span_of(before.slot, recipient), span_of(after.slot, recipient)
    day = len("Mon 2026-11-30 ")
    when = new[day:] if new[:day] == old[:day] else new
    name = one_line(after.resource.name)
    return when if before.resource_id == after.resource_id else f"{when}, {name}"


def span_of(slot: Interval, recipient: Recipient) -> str:
    """The time of a date in the zone of the recipient: ``Mon 2026-11-30 09:00 to 10:00``."""
    return f"{slot.start.astimezone(recipient.zone):%a} {in_words(slot, recipient.zone)}"


def skipped_lines(event: SeriesEvent, recipient: Recipient) -> list[Line]:
    """The dates that were not booked, each with the reason; in order."""
    return [
        Line(skipped_span(event.after, start, recipient), why_skipped(code)) for start, code in sorted(event.skipped)
    ]


def skipped_span(series: Series, start: datetime, recipient: Recipient) -> str:
    """The time of a date that was not booked; one that the clock of the series lacks is named by that clock."""
    slot = slot_at(start, series.length, series.zone)
    if slot is None or slot.end <= slot.start:
        return f"{start:%a %Y-%m-%d} {clock_text(series)} {series.time_zone}"
    return span_of(slot, recipient)
