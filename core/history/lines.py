"""Tells acts in words, for the pages of staff."""

from datetime import datetime

from django.utils import timezone

from core.choices import Waivable
from core.history.changes import changes_of
from core.record.kinds import ListKind, Part, SeriesKind
from core.record.models import BookingEvent
from core.recurrence import Rule
from core.recurrence import in_words as rule_in_words


def lines_of(row: BookingEvent) -> list[str]:
    """What the act changed, a line for each field: `status: pending → confirmed`, and which rules staff waived.

    Moments are in the current zone.
    """
    if row.kind == ListKind.EXPORTED:
        return lines_of_export(row)
    if row.kind in SeriesKind.values:
        return lines_of_series(row)
    changes = changes_of(row)
    if "resource_name" in changes:
        # The name says which resource it was; the number matters only between two resources of one name.
        changes["resource"] = changes.pop("resource_name")
    lines = [f"{name.replace('_', ' ')}: {in_words(*values)}" for name, values in changes.items()]
    waived = [Waivable(name).label for name in row.waived_rules]
    return [*lines, f"waived: {', '.join(waived)}"] if waived else lines


def lines_of_export(row: BookingEvent) -> list[str]:
    """How many bookings the file has, its form, and the filters of its list as they were sent."""
    export = row.facts["export"]
    filters = {**export["filters"], **row.actor_words.get("filters", {})}
    shown = [f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in filters.items()]
    return [f"rows: {export['rows']}", f"format: {export['format']}", *(f"filter {line}" for line in shown or ["none"])]


def lines_of_series(row: BookingEvent) -> list[str]:
    """What an act changed of a series itself, a line for each field, and which dates were not booked.

    The times are those of the clock of the series.
    """
    before, after = (series_state(row, name) for name in ("before", "after"))
    lines = [
        f"{name}: {in_words(before.get(name), value)}"
        for name, value in after.items()
        if before.get(name) != value and (before or value)
    ]
    skipped = [
        f"not booked: {value_in_words(datetime.fromisoformat(each['local_start']))} ({each['code'].replace('_', ' ')})"
        for each in row.facts.get("skipped", [])
    ]
    return lines + skipped


def series_state(row: BookingEvent, name: str) -> dict[str, str]:
    """The fields of the series `before` or `after` the act, as far as the row has them."""
    if name not in row.facts:
        return {}
    series, words = row.facts[name]["series"], row.owner_words.get(name, {})
    start, end = (datetime.fromisoformat(series[each]) for each in ("local_start", "local_end"))
    state = {
        "resource": row.facts[name]["resource"]["name"],
        "rule": rule_in_words(Rule.parse(series["rrule"]), start),
        "first date": f"{value_in_words(start)} to {value_in_words(end)} {series['time_zone']}",
        "left out": ", ".join(value_in_words(datetime.fromisoformat(each)) for each in series["exdates"]),
        "further dates": ", ".join(value_in_words(datetime.fromisoformat(each)) for each in series["rdates"]),
    }
    return state | ({"notes": words["notes"]} if "notes" in words else {})


def in_words(before: object, after: object) -> str:
    """A value before and after the act, or the value alone if there was none before."""
    return value_in_words(after) if before is None else f"{value_in_words(before)} → {value_in_words(after)}"


def value_in_words(value: object) -> str:
    """A value; a moment in the current zone, or a naive time, to the minute unless it has seconds."""
    if isinstance(value, datetime):
        value = timezone.localtime(value) if value.tzinfo else value
        if value.second or value.microsecond:
            return value.replace(tzinfo=None).isoformat(" ")
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value) if value != "" else "none"


def actor_of(row: BookingEvent) -> str:
    """Who acted: the user name as it was, or a word."""
    if row.part == Part.SYSTEM:
        return "the system"
    name: str = row.actor_words.get("username", "")
    return name or "a deleted account"
