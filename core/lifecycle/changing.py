"""What an act on a series makes of its dates, and the write of all of them at once."""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core import errors, rules
from core.choices import BookingStatus, Scope
from core.errors import BookingError, Verdict
from core.intervals import Interval
from core.lifecycle.bookings import Changes
from core.lifecycle.held import Held
from core.lifecycle.repeating import (
    Move,
    parted,
    pattern_of,
    usual_slot,
    usual_start,
    write_pattern,
)
from core.lifecycle.rewriting import CHANGED, write_dates, write_series, write_skipped
from core.lifecycle.transactions import lock_resources
from core.lifecycle.verdicts import look, require_apart, verdicts_of
from core.lifecycle.wishes import Wish
from core.models import Booking, Resource, Series
from core.record.acts import Act
from core.record.kinds import SeriesKind
from core.record.writing import record_series
from core.recurrence import ended_by_day, moved, slot_at
from core.rules import Waiver
from core.zones import moment_by_first_offset


@dataclass(frozen=True, slots=True)
class Change:
    """How an act changes the dates of a series.

    Attributes:
        changes: The new values; their times are those of the named date.
        move: How the times change by the clock.
        named: The named date with its new times; None without one.
        reset: Whether dates that were changed alone become as the others.
        override: The names of rules that staff waive.
    """

    changes: Changes
    move: Move = Move()
    named: Booking | None = None
    reset: bool = False
    override: Collection[str] = ()

    def names(self, row: Booking) -> bool:
        """True for the named date."""
        return self.named is not None and row.pk == self.named.pk


@dataclass(slots=True)
class Done:
    """What an act did.

    Attributes:
        changed: Each changed date before and after, with the rules that staff waived for it.
        refused: The dates that refused it; nothing was then done.
        number: The number of dates that it was about.
    """

    changed: Sequence[tuple[Booking, Booking, Collection[str]]]
    refused: Sequence[Verdict]
    number: int

    def raise_refusal(self) -> None:
        """Raises the error about the refused dates, if there are any.

        Raises:
            DatesRefused: With all of them.
        """
        if self.refused:
            raise errors.DatesRefused(self.refused, of=self.number)

    def of(self, booking: Booking) -> Booking:
        """A booking after the act."""
        return next((after for _, after, _ in self.changed if after.pk == booking.pk), booking)


def decide(
    dates: Held, status: BookingStatus, act: Act, *, expected: Collection[str] = BookingStatus.blocking()
) -> Done:
    """Gives the dates a status, as far as they have an expected one."""
    dates.rows = [row for row in dates.rows if row.status in expected]
    if not dates.rows:
        return Done([], [], 0)
    return carry_out(dates, dates.series, Change(changes=Changes(status=status)), act)


def series_after(dates: Held, change: Change, scope: Scope) -> Series:
    """The series after an act: the same row, or an unsaved one for the following dates.

    Raises:
        RuleKeepsDays: When the dates move to other days and the rule names days.
    """
    before, changes, move = dates.series, change.changes, change.move
    after = copy.copy(before)
    after.notes = before.notes if changes.notes is None else changes.notes
    after.resource_id = changes.resource_id or before.resource_id
    if move == Move() and after.notes == before.notes and after.resource_id == before.resource_id:
        return before
    pattern = pattern_of(before)
    named = dates.named
    if scope == Scope.FOLLOWING and named is not None and has_earlier(before, named):
        dates.head, pattern = parted(pattern, usual_start(before, named))
        after._state.adding, after.previous = True, before
    if move != Move():
        start = pattern.start + move.shift
        pattern = replace(
            pattern,
            rule=moved(ended_by_day(pattern.rule, pattern.start, pattern.zone), move.days_of(pattern)),
            start=start,
            end=start + move.length_of(before),
            exdates=tuple(each + move.shift for each in pattern.exdates),
            rdates=tuple(each + move.shift for each in pattern.rdates),
        )
    write_pattern(after, pattern)
    return after


def has_earlier(series: Series, named: Booking) -> bool:
    """True if the series has dates before the named one."""
    return Booking.objects.filter(series=series, recurrence_id__lt=named.recurrence_id).exists()


def carry_out(dates: Held, series: Series, change: Change, act: Act) -> Done:
    """Changes the dates of a series, and writes all that changed; nothing where a date refuses.

    Args:
        dates: The locked dates.
        series: The series after the act, see `series_after`.
        change: The change.
        act: The act.
    """
    before = dates.series
    ids = {*(row.resource_id for row in dates.rows), before.resource_id, series.resource_id}
    resources = lock_resources(*ids, since=min((act.now, *(row.start_time for row in dates.rows))))
    series.resource, before.resource = resources[series.resource_id], resources[before.resource_id]
    for row in dates.rows:
        row.resource = resources[row.resource_id]
    wishes = [wish_of(row, before, series, change, resources, act) for row in dates.rows]
    touched = [wish for wish in wishes if wish.error or differs(wish)]
    moving = [wish.booking for wish in touched if wish.booking.blocks and wish.holds_anew and wish.error is None]
    for pk in ids:
        require_apart(booking.slot for booking in moving if booking.resource_id == pk)
    ground = look(touched, before.user, now=act.now, one_by_one=False)
    refused = [wish for wish in touched if wish.error]
    if refused:
        return Done([], verdicts_of(refused, ground, before.zone), len(touched))
    if act.reason and all(wish.before and wish.before.status == wish.booking.status for wish in touched):
        raise errors.ReasonWithoutStatus
    changed = [(wish.before, wish.booking, wish.waiver.used) for wish in touched if wish.before]
    old = write_series(dates, series)
    if series is not before:
        write_skipped(dates, series, change.move, now=act.now)
    write_dates(wishes, touched, series)
    if changed or series is not before:
        only_cancelled = all(after.status == BookingStatus.CANCELLED for _, after, _ in changed) and changed
        kind = SeriesKind.CANCELLED if only_cancelled and series is before else SeriesKind.CHANGED
        record_series(act, kind, series, changed, before=old)
    return Done(changed, [], len(touched))


def wish_of(
    row: Booking, before: Series, series: Series, change: Change, resources: Mapping[int, Resource], act: Act
) -> Wish:
    """What an act makes of one date; with the first error that does not depend on other bookings.

    Args:
        row: The date.
        before: The series before the act.
        series: The series after the act.
        change: The change.
        resources: The resources before and after, by id, with their terms attached.
        act: The act.
    """
    after = copy.copy(row)
    start = usual_start(before, row) + change.move.shift
    after.recurrence_id = moment_by_first_offset(start, before.zone)
    wish = Wish(after, row, asked=(), is_new=False, waiver=Waiver(change.override if act.is_staff else ()))
    is_named, revives = change.names(row), change.reset and row.status == BookingStatus.CANCELLED
    if not (row.blocks or is_named or revives):
        return wish
    try:
        rules.history(row, now=act.now, staff=act.is_staff)
        set_place(row, after, before, change, start, now=act.now)
        after.resource = resources[after.resource_id]
        set_words(row, after, before, series, change)
        asked = change.changes.status
        if revives and asked is None:
            asked = BookingStatus.first(requires_approval=after.resource.requires_approval)
        after.status = rules.next_status(row, after, asked=asked, staff=act.is_staff)
        rules.expiry(row, after, now=act.now, staff=act.is_staff)
        rules.reason(row, after, given=act.reason if row.status != after.status else "")
        rules.notice_of_owner(row, after, now=act.now, staff=act.is_staff)
    except BookingError as error:
        wish.error = error
    wish.asked = rules.asked_of_change(row, after, now=act.now, staff=act.is_staff)
    wish.is_new = rules.needs_free_slot(row, after)
    wish.is_record = act.is_staff and rules.is_over(after.slot, now=act.now)
    return wish


def set_place(row: Booking, after: Booking, before: Series, change: Change, start: datetime, *, now: datetime) -> None:
    """Sets the time and the resource of a date; one that has begun keeps both, unless the caller names it.

    Raises:
        NotOnTheClock: When the clock skips the new start.
    """
    changes, move = change.changes, change.move
    is_named = change.names(row)
    is_usual = row.slot == usual_slot(before, row)
    slot: Interval | None = row.slot
    if is_named and change.named is not None and change.named.slot != row.slot:
        slot = change.named.slot
    elif (is_usual and move != Move()) or (change.reset and not is_usual):
        slot = slot_at(start, move.length_of(before), before.zone)
    is_free = is_named or change.reset or row.resource_id == before.resource_id
    place = (changes.resource_id or (before.resource_id if change.reset else None)) if is_free else None
    place = place or row.resource_id
    has_begun = row.start_time <= now and not is_named
    if has_begun and ((slot is None or slot.start != row.start_time) or place != row.resource_id):
        return
    if slot is None:
        raise errors.NotOnTheClock
    after.start_time, after.end_time, after.resource_id = slot.start, slot.end, place


def set_words(row: Booking, after: Booking, before: Series, series: Series, change: Change) -> None:
    """Sets the notes of a date, unless it has notes of its own, and the note of staff."""
    changes, is_usual = change.changes, row.notes == before.notes
    if changes.notes is not None and (is_usual or change.names(row) or change.reset):
        after.notes = changes.notes
    elif change.reset:
        after.notes = series.notes
    if changes.staff_note is not None:
        after.staff_note = changes.staff_note


def differs(wish: Wish) -> bool:
    """True if a wish changes a column of its date, other than those of the series."""
    return wish.before is not None and any(
        getattr(wish.before, name) != getattr(wish.booking, name) for name in CHANGED
    )
