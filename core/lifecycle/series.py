"""The verbs of a series: book, change and cancel its dates.

Each date is an ordinary booking. A verb locks the series, its dates, their resources and the user, in this order. It
looks for all conflicts in one statement, and writes all dates in another: the number of statements does not depend on
the number of dates.
"""

import copy
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from django.contrib.auth.models import User

from core import errors, rules
from core.choices import BookingStatus, IfRefused, Scope
from core.intervals import Interval
from core.lifecycle.bookings import Changes
from core.lifecycle.changing import Change, carry_out, decide, series_after
from core.lifecycle.held import SeriesCheck, lock_dates, lock_series
from core.lifecycle.outcomes import Outcome
from core.lifecycle.repeating import DAY, Move, Repeat, local_time, write_pattern
from core.lifecycle.transactions import Check, lock_resources, writing
from core.lifecycle.verdicts import look, require_apart, verdicts_of
from core.lifecycle.wishes import Wish
from core.models import Booking, Series, SkippedDate
from core.prepared import insert, insert_all
from core.record.acts import Act
from core.record.kinds import SeriesKind
from core.record.writing import record_series
from core.recurrence import ended_by_day, expand
from core.rules import Waiver
from core.terms import terms_of
from core.zones import moment_by_first_offset, zone_of

# The changes that no clock decides.
UNTIMED = ("resource_id", "status", "notes", "staff_note")


# --- A new series -----------------------------------------------------------------------------------------------------


def book_series(
    *,
    user: User,
    resource_id: int,
    repeat: Repeat,
    status: str | None = None,
    notes: str = "",
    staff_note: str = "",
    on_conflict: IfRefused = IfRefused.FAIL,
    act: Act,
    override: Collection[str] = (),
    dry_run: bool = False,
) -> Outcome:
    """Books all dates of a series.

    Args:
        user: The owner of the bookings.
        resource_id: The resource.
        repeat: The rule and the first date.
        status: The status asked for; None for the default of the resource.
        notes: Free text of at most 5 000 characters.
        staff_note: Free text of at most 5 000 characters, which only staff read.
        on_conflict: What to do where dates are refused.
        act: The act.
        override: The names of rules that staff waive (`Waivable`).
        dry_run: True: book nothing, and refuse nothing because of single dates.

    Raises:
        DatesRefused: When a date is refused and all are wanted, or when all are refused.
        BookingError: Of the rule of the series.
    """
    with writing(now=act.now):
        # A naive time is at most a day away from the same time in UTC.
        first = repeat.start if repeat.start.tzinfo else moment_by_first_offset(repeat.start, zone_of("UTC")) - DAY
        resource = lock_resources(resource_id, since=min(first, act.now))[resource_id]
        zone = zone_of(repeat.time_zone) if repeat.time_zone else terms_of(resource).zone
        pattern = repeat.pattern(zone)
        # The search for dates takes longer with each day from the start on.
        if moment_by_first_offset(pattern.start, zone) < act.now - rules.LATEST_END:
            raise errors.StartInPast
        found = expand(pattern, until=act.now + rules.LATEST_END)
        require_apart(date.slot for date in found.dates)
        first_status = rules.first_status(status, resource, any_status=act.is_staff)
        allowed = override if act.is_staff else ()
        wishes = [
            Wish(
                Booking(
                    user=user,
                    resource=resource,
                    start_time=date.slot.start,
                    end_time=date.slot.end,
                    status=first_status,
                    notes=notes,
                    staff_note=staff_note,
                    recurrence_id=date.slot.start,
                ),
                asked=rules.asked_of_new(date.slot, now=act.now, as_record=False),
                is_new=first_status.blocks,
                waiver=Waiver(allowed),
            )
            for date in found.dates
        ]
        ground = look(wishes, user, now=act.now, one_by_one=True)
        made = [wish for wish in wishes if wish.error is None]
        if on_conflict.books(len(made), of=len(wishes)) and not dry_run:
            series = Series(user=user, resource=resource, notes=notes, created_by=act.by)
            # The last day by the clock stays true when the dates move to another time of day.
            rule = ended_by_day(pattern.rule, pattern.start, zone)
            write_pattern(series, replace(pattern, rule=rule))
            write_new(series, wishes, found.missing, act)
        else:
            series = None
    verdicts = verdicts_of(wishes, ground, zone, missing=found.missing)
    outcome = Outcome(series, [wish.booking for wish in made] if series else [], verdicts, pattern)
    if not dry_run:
        outcome.require(on_conflict)
    return outcome


def write_new(series: Series, wishes: Sequence[Wish], missing: Sequence[datetime], act: Act) -> None:
    """Writes a series, its dates, those that it has not, and the record."""
    insert(series)
    made = [wish for wish in wishes if wish.error is None]
    for wish in made:
        wish.booking.series = series
    insert_all([wish.booking for wish in made])
    skipped = [
        SkippedDate(series=series, local_start=each.isoformat(), code=errors.NotOnTheClock.code) for each in missing
    ]
    skipped += [
        SkippedDate(
            series=series,
            local_start=local_time(wish.booking.start_time, series.zone).isoformat(),
            code=wish.error.code,
        )
        for wish in wishes
        if wish.error is not None
    ]
    insert_all(skipped)
    dates = [(None, wish.booking, wish.waiver.used) for wish in made]
    record_series(act, SeriesKind.MADE, series, dates, skipped=skipped)


# --- Changes ----------------------------------------------------------------------------------------------------------


def change_dates(
    booking: Booking,
    *,
    scope: Scope,
    changes: Changes,
    act: Act,
    expected: Collection[str] = (),
    override: Collection[str] = (),
    reset_exceptions: bool = False,
    check: Check | None = None,
    dry_run: bool = False,
) -> Booking:
    """Changes a date of a series, and with it the following dates or all of them, as far as they are not over.

    A move goes by the clock of the series. A date whose time, resource or notes were changed alone keeps these, and one
    that was cancelled alone stays cancelled. A date that has begun keeps its time and its resource.

    Args:
        booking: The date that the caller names.
        scope: `FOLLOWING` or `ALL`. With new times, notes or a new resource, the following dates become a series of
            their own.
        changes: The new values of the named date.
        act: The act.
        expected: The statuses of the named date that the decision is about; empty for any.
        override: The names of rules that staff waive (`Waivable`).
        reset_exceptions: Whether dates that were changed or cancelled alone become as the others.
        check: Called with the locked row of the named date before any rule; raises an error to refuse the change.
        dry_run: True: check, and store nothing.

    Returns:
        The named date after the act.

    Raises:
        DatesRefused: When a date cannot be changed; then none is.
        BookingError: Of the first rule about the named date or the series.
    """
    with writing(now=act.now, dry_run=dry_run):
        dates, named = lock_dates(booking, scope=scope, act=act, check=check)
        if expected and named.status not in expected:
            raise errors.StateChanged(named.status)
        # Clients send what they have read with what they change; only the change is about the other dates.
        sent = {name: getattr(changes, name) for name in UNTIMED}
        changes = replace(changes, **{name: None for name, value in sent.items() if value == getattr(named, name)})
        wanted = copy.copy(named)
        wanted.start_time = rules.effective_time(named.start_time, changes.start_time)
        wanted.end_time = rules.effective_time(named.end_time, changes.end_time)
        if wanted.end_time <= wanted.start_time:
            raise errors.EndNotAfterStart
        change = Change(
            changes=changes,
            move=Move.between(named, wanted, dates.series),
            named=wanted,
            reset=reset_exceptions,
            override=override,
        )
        series = series_after(dates, change, scope)
        done = carry_out(dates, series, change, act)
    done.raise_refusal()
    return done.of(named)


def cancel_dates(booking: Booking, *, scope: Scope, act: Act, check: Check | None = None) -> None:
    """Cancels a date of a series, and with it the following dates or all of them, as far as they are not over.

    Raises:
        DatesRefused: When a date cannot be cancelled; then none is.
        BookingEnded: When the named date has ended and the caller is not staff.
    """
    with writing(now=act.now):
        dates, _ = lock_dates(booking, scope=scope, act=act, check=check)
        done = decide(dates, BookingStatus.CANCELLED, act)
    done.raise_refusal()


def cancel_some(
    series: Series,
    *,
    ids: Collection[int] | None = None,
    within: Interval | None = None,
    act: Act,
    check: SeriesCheck | None = None,
) -> list[Booking]:
    """Cancels dates of a series: those named by their ids, those that start within a time, or all that are not over.

    Returns:
        The cancelled bookings, in order.

    Raises:
        NotInSeries: When an id is not that of a date of the series.
        DatesRefused: When a date cannot be cancelled; then none is.
    """
    return decide_some(series, BookingStatus.CANCELLED, ids=ids, within=within, act=act, check=check)


def decide_some(
    series: Series,
    status: BookingStatus,
    *,
    ids: Collection[int] | None = None,
    within: Interval | None = None,
    expected: Collection[str] = BookingStatus.blocking(),
    act: Act,
    check: SeriesCheck | None = None,
) -> list[Booking]:
    """Gives dates of a series a status, as far as they have an expected one; for the dates see `cancel_some`.

    Raises:
        NotInSeries: When an id is not that of a date of the series.
        DatesRefused: When a date cannot have the status; then none gets it.
    """
    with writing(now=act.now):
        dates = lock_series(series, ids=ids, now=act.now, check=check)
        if within is not None:
            dates.rows = [row for row in dates.rows if within.start <= row.start_time < within.end]
        done = decide(dates, status, act, expected=expected)
    done.raise_refusal()
    return [after for _, after, _ in done.changed]


def change_notes(series: Series, *, notes: str, act: Act, check: SeriesCheck | None = None) -> Series:
    """Changes the notes of a series, and of its dates that are not over and have no notes of their own.

    Returns:
        The changed series.
    """
    with writing(now=act.now):
        dates = lock_series(series, now=act.now, check=check)
        change = Change(changes=Changes(notes=notes))
        after = series_after(dates, change, Scope.ALL)
        done = carry_out(dates, after, change, act)
    done.raise_refusal()
    return after
