"""Tells acts in words, for the pages of staff."""

from datetime import datetime

from django.utils import timezone

from core.choices import Waivable
from core.history.changes import changes_of
from core.record.kinds import ListKind, Part
from core.record.models import BookingEvent


def lines_of(row: BookingEvent) -> list[str]:
    """What the act changed, a line for each field: `status: pending → confirmed`, and which rules staff waived.

    Moments are in the current zone.
    """
    if row.kind == ListKind.EXPORTED:
        return lines_of_export(row)
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


def in_words(before: object, after: object) -> str:
    """A value before and after the act, or the value alone if there was none before."""
    return value_in_words(after) if before is None else f"{value_in_words(before)} → {value_in_words(after)}"


def value_in_words(value: object) -> str:
    """A value; a moment to the minute, unless it has seconds."""
    if isinstance(value, datetime):
        value = timezone.localtime(value)
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
