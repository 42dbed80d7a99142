"""Converts acts on series to facts, and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from core.intervals import on_the_clock
from core.models import Resource, Series, SkippedDate
from core.record.acts import Act
from core.record.facts import (
    RESOURCE_FIELDS,
    USER_FIELDS,
    Facts,
    facts_of_act,
    fields_of,
    lines_of_act,
    nameless,
    row_of_act,
)
from core.record.kinds import SeriesKind
from core.record.models import BookingEvent

SERIES_FIELDS = (
    "id",
    "user_id",
    "resource_id",
    "rrule",
    "local_start",
    "local_end",
    "time_zone",
    "exdates",
    "rdates",
    "previous_id",
)


@dataclass(frozen=True, slots=True)
class SeriesEvent:
    """An act on a series as messages tell it. Its series, users and resources must not be saved.

    Attributes:
        before: The series before the act; None for a new one.
        after: The series after the act.
        skipped: Each date that was not booked: its start by the clock of the series, and the code of the reason.
        by: Who acted; None for the system.
    """

    kind: SeriesKind
    before: Series | None
    after: Series
    skipped: tuple[tuple[datetime, str], ...]
    by: User | None
    at: datetime
    reason: str = ""


def row_of_series(
    act: Act, kind: SeriesKind, series: Series, *, before: Series | None, skipped: Iterable[SkippedDate]
) -> BookingEvent:
    """The unsaved row of an act on a series."""
    states = {name: each for name, each in (("before", before), ("after", series)) if each is not None}
    facts: Facts = {name: series_facts(each) for name, each in states.items()}
    facts["skipped"] = [{"local_start": each.local_start, "code": each.code} for each in skipped]
    words = {name: {"notes": each.notes} for name, each in states.items()}
    return row_of_act(
        act,
        kind,
        owner=series.user,
        series_id=series.pk,
        resource_id=series.resource_id,
        facts=facts,
        owner_words={"user": fields_of(series.user, USER_FIELDS), **words},
    )


def series_facts(series: Series) -> Facts:
    """Converts a series and its resource to facts, without the words of people."""
    return {"series": fields_of(series, SERIES_FIELDS), "resource": fields_of(series.resource, RESOURCE_FIELDS)}


def series_facts_of(row: BookingEvent) -> Facts:
    """The facts of an act on a series as a message stores them, with the number of the act; blanked words are empty."""
    owner_id = row.facts["after"]["series"]["user_id"]
    facts = facts_of_act(row, owner_id=owner_id) | {"act": row.pk, "skipped": row.facts["skipped"]}
    user = {**dict.fromkeys(USER_FIELDS, ""), "id": owner_id, **row.owner_words.get("user", {})}
    for name in {"before", "after"} & set(row.facts):
        notes = row.owner_words.get(name, {}).get("notes", "")
        facts[name] = {**row.facts[name], "notes": notes, "user": user}
    return facts


def series_event_of(facts: Facts) -> SeriesEvent:
    """Converts the facts of a message to the act that it tells."""
    return SeriesEvent(
        kind=SeriesKind(facts["kind"]),
        before=series_of(facts["before"]) if "before" in facts else None,
        after=series_of(facts["after"]),
        skipped=tuple((datetime.fromisoformat(each["local_start"]), each["code"]) for each in facts["skipped"]),
        by=User(**facts["by"]) if facts["by"] else None,
        at=datetime.fromisoformat(facts["at"]),
        reason=facts["reason"],
    )


def series_of(facts: Facts) -> Series:
    """Converts facts to a series, which must not be saved."""
    series = Series(**facts["series"], notes=facts.get("notes", ""))
    series.user = User(**facts["user"])
    series.resource = Resource(**facts["resource"])
    return series


def without_words_of_series(facts: Facts) -> Facts:
    """Returns the facts of an act without any word that a user wrote: notes, the reason, and names of people."""
    known = {**facts, "reason": ""}
    for name in {"before", "after"} & set(facts):
        known[name] = {**facts[name], "notes": "", "user": nameless(facts[name]["user"])}
    if facts["by"]:
        known["by"] = {**facts["by"], "username": ""}
    return known


def is_of_series(facts: Facts) -> bool:
    """True for the facts of an act on a series."""
    return "act" in facts


def repetition_text(series: Series) -> str:
    """The rule and the time of day: ``every Tuesday until 29 June 2027, 09:00 to 10:00 Europe/Berlin``."""
    return f"{series.rule_text}, {clock_text(series)} {series.time_zone}"


def clock_text(series: Series) -> str:
    """The time of day of the dates of a series: ``09:00 to 10:00``, ``22:00 to 02:00 the next day``."""
    end = series.start + series.length
    days = (end.date() - series.start.date()).days
    later = {0: "", 1: " the next day"}.get(days, f" {days} days later")
    return f"{on_the_clock(series.start)} to {on_the_clock(end)}{later}"


def series_lines_of(facts: Facts) -> list[str]:
    """Describes an act on a series for staff, a line for each fact; the moment of the act is in the current zone."""
    lines = lines_of_act(facts)
    for label in ("before", "after"):
        if label in facts:
            series = series_of(facts[label])
            whose = series.user.get_username() or "a deleted account"
            lines.append(f"{label.capitalize()}: {series}, {series.resource.name}, {repetition_text(series)}, {whose}")
            lines += [f"Notes {label}: {series.notes}"] if series.notes else []
    return lines
