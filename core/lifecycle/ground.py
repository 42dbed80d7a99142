"""What is taken around bookings that one act would write.

`Ground` reads what is taken in one statement, and what the person has booked in two more, however many bookings come.
Nothing here writes or locks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from core import errors, quotas
from core.choices import Kind, Waivable
from core.conflicts import CLASHES_NAMED, opens_after, require_gap
from core.errors import BookingError, Suggestion
from core.intervals import Interval, hull
from core.lifecycle.diary import Diary, owned_of
from core.lifecycle.wishes import Wish
from core.models import Booking, Resource
from core.offers import Offer, Openings, Taken, reach_of, taken_by
from core.offers.taken import minutes
from core.quotas import Allowance, Owned
from core.terms import Limit, Terms, terms_of

# The search for another slot of a date looks so far ahead.
NEXT_WITHIN = timedelta(days=7)


class Ground:
    """What is taken around some wishes, apart from the bookings that the wishes themselves replace.

    Args:
        wishes: The wishes; their resources are locked, with their terms attached.
        now: The present moment.
    """

    def __init__(self, wishes: Sequence[Wish], *, now: datetime) -> None:
        self.now = now
        taking = [wish.booking for wish in wishes if wish.is_new and wish.error is None]
        self.resources: dict[int, Resource] = {each.resource_id: each.resource for each in taking}
        self.taken: dict[int, list[Taken]] = {pk: [] for pk in self.resources}
        self.reasons: dict[tuple[int, datetime], str] = {}
        self.limits: dict[int, list[Limit]] = {}
        # What the person has booked, and the wishes that stand, by now.
        self.owned, self.own = Diary(now), Diary(now)
        self.wished: dict[int, list[Taken]] = {pk: [] for pk in self.resources}
        self.standing: list[Wish] = []
        self.offers: dict[int, Offer] = {}
        replaced = {wish.booking.pk for wish in wishes if wish.before is not None and wish.holds_anew}
        if taking:
            window = hull([each.slot for each in taking])
            self._read_taken(window, replaced)
            self._read_owned(taking, replaced)

    def _read_taken(self, window: Interval, replaced: Collection[int]) -> None:
        """Reads the blocking rows of the resources around the window. One statement."""
        reach = max(reach_of(resource) for resource in self.resources.values())
        around = window.widened(reach, max(reach, NEXT_WITHIN))
        rows = Booking.taken.taken_in(around, resource_ids=list(self.resources))
        columns = ("id", "resource_id", "start_time", "end_time", "buffer_before_minutes", "buffer_after_minutes")
        for pk, resource_id, start, end, before, after, kind, reason in rows.values_list(
            *columns, "kind", "closure__reason"
        ):
            if pk not in replaced:
                is_closure = kind == Kind.CLOSURE
                self.taken[resource_id].append(Taken(start, end, minutes(before), minutes(after), is_closure))
                if is_closure:
                    self.reasons[resource_id, start] = reason

    def _read_owned(self, taking: Sequence[Booking], replaced: Collection[int]) -> None:
        """Reads what the person has booked, if it matters for one of the resources. At most two statements."""
        user = taking[0].user
        terms = {pk: terms_of(resource) for pk, resource in self.resources.items()}
        concerned = {pk: each for pk, each in terms.items() if quotas.concern(each)}
        if not concerned:
            return
        every = quotas.limits_of(
            user, {limit for each in concerned.values() for limit in each.quotas}, resource_id=None
        )
        self.limits = {pk: [limit for limit in each.quotas if limit in every] for pk, each in concerned.items()}
        windows = [
            quotas.concerned(self.limits[each.resource_id], each.slot, terms[each.resource_id].zone, now=self.now)
            for each in taking
            if each.resource_id in concerned
        ]
        for each in quotas.read_owned(user.pk, hull(windows)):
            if each.id not in replaced:
                self.owned.add(each)

    # --- The verdict --------------------------------------------------------------------------------------------------

    def judge(self, wishes: Sequence[Wish], *, one_by_one: bool) -> None:
        """Sets the error of each wish that cannot be written.

        Args:
            wishes: The wishes in the order of their times; no two of them overlap.
            one_by_one: Whether a wish meets only those before it, as new bookings do. Otherwise each meets all others,
                as bookings that move together do.
        """
        standing = [wish for wish in wishes if wish.booking.blocks and wish.holds_anew and wish.error is None]
        for wish in standing:
            if not wish.is_new:
                continue
            policy = terms_of(wish.booking.resource).policy
            wish.booking.buffer_before_minutes = policy.buffer_before_minutes or 0
            wish.booking.buffer_after_minutes = policy.buffer_after_minutes or 0
        if not one_by_one:
            for wish in standing:
                self._stand(wish)
        for wish in wishes:
            if wish.error is None:
                try:
                    self._require(wish)
                except BookingError as error:
                    wish.error = error
                if one_by_one and wish.booking.blocks and wish.error is None:
                    self._stand(wish)

    def _stand(self, wish: Wish) -> None:
        """Lets the wishes that are judged from now on meet this one; call it in the order of their times."""
        self.standing.append(wish)
        self.wished.setdefault(wish.booking.resource_id, []).append(taken_by(wish.booking))
        self.own.add(owned_of(wish.booking))

    def _require(self, wish: Wish) -> None:
        """Checks a wish against what is booked.

        Raises:
            BookingError: Of the first rule that it breaks.
        """
        if not wish.is_new:
            return
        self._require_free(wish.booking)
        if not wish.is_record:
            self._require_gaps(wish)
            self._require_person(wish)

    def _require_free(self, booking: Booking) -> None:
        clashes = near(self.taken[booking.resource_id], booking.slot)
        closure = next((each for each in clashes if each.is_closure), None)
        if closure is not None:
            raise errors.Closed(self.reasons[booking.resource_id, closure.start], self._opens_after(booking, closure))
        if clashes:
            raise errors.DateTaken(conflicts=[each.slot for each in clashes[:CLASHES_NAMED]])

    def _opens_after(self, booking: Booking, closure: Taken) -> datetime | None:
        """When the resource opens again after a closure, and those that follow it."""
        later = [(each.start, each.end) for each in self.taken[booking.resource_id] if each.is_closure]
        after = [span for span in later if span[1] > closure.end]
        return opens_after(closure.end, after, timetable=terms_of(booking.resource).timetable)

    def _require_gaps(self, wish: Wish) -> None:
        booking = wish.booking
        reach = max(booking.resource.buffer_reach_minutes, booking.buffer_before_minutes, booking.buffer_after_minutes)
        if not reach:
            return
        this = taken_by(booking)
        around, ours = booking.slot.widened(minutes(reach), minutes(reach)), self.wished[booking.resource_id]
        with wish.waiver.of(Waivable.BUFFERS):
            for other in (*near(self.taken[booking.resource_id], around), *near(ours, around)):
                # Nothing else than the wish itself can begin with it.
                if not other.is_closure and other.start != this.start:
                    require_gap(this, other)

    def _require_person(self, wish: Wish) -> None:
        limits = self.limits.get(wish.booking.resource_id)
        if limits is None:
            return
        terms, this = terms_of(wish.booking.resource), owned_of(wish.booking)
        owned = self._owned_near(wish, this.slot, limits, terms)
        with wish.waiver.of(Waivable.OWN_OVERLAP):
            quotas.require_no_own_overlap(this, owned, terms)
        for limit in limits:
            if limit.period is None and self._coming(limit) < limit.limit:
                continue
            with wish.waiver.of(Waivable.QUOTA):
                rows = self._owned_at_all(wish) if limit.period is None else owned
                quotas.require_quota(limit, this, rows, terms.zone, now=self.now)

    def _coming(self, limit: Limit) -> int:
        """How many bookings count in a quota of those that have not ended: at least as many as beside any wish."""
        return self.owned.coming(limit.resource_id) + self.own.coming(limit.resource_id)

    def _owned_near(self, wish: Wish, slot: Interval, limits: Sequence[Limit], terms: Terms) -> list[Owned]:
        """What the person has, apart from the wish, in the slot and in the periods that it touches; in order."""
        periods = [limit for limit in limits if limit.period is not None]
        window = quotas.concerned(periods, slot, terms.zone, now=self.now)
        return self._without(wish, [*self.owned.near(window), *self.own.near(window)])

    def _owned_at_all(self, wish: Wish) -> list[Owned]:
        """What the person has, apart from the wish; in order."""
        return self._without(wish, [*self.owned.rows, *self.own.rows])

    def _without(self, wish: Wish, rows: Iterable[Owned]) -> list[Owned]:
        """The rows without a wish that stands already, and with the booking that it replaces; in order."""
        booking, before = wish.booking, wish.before
        found = [each for each in rows if booking.pk is None or each.id != booking.pk]
        if before is not None and before.blocks:
            found.append(owned_of(before))
        return sorted(found, key=lambda each: (each.slot.end, each.id or 0))

    # --- Other slots --------------------------------------------------------------------------------------------------

    def suggest(self, wishes: Iterable[Wish]) -> None:
        """Gives each wish whose slot is taken the next free slot within a week, if there is one. No statement."""
        # A refused wish stands nowhere.
        self.own = Diary(self.now)
        for wish in self.standing:
            if wish.error is None:
                self.own.add(owned_of(wish.booking))
        for wish in wishes:
            if isinstance(wish.error, errors.DateTaken):
                slot = self._next_free(wish)
                here = wish.booking.resource
                found = [] if slot is None else [Suggestion("later", here.pk, here.name, slot)]
                wish.error = errors.DateTaken(conflicts=wish.error.conflicts, suggestions=found)

    def _next_free(self, wish: Wish) -> Interval | None:
        booking = wish.booking
        here, length = booking.resource, booking.slot.duration
        if here.pk not in self.offers:
            ours = [wish.booking for wish in self.standing if wish.error is None]
            taken = [*self.taken[here.pk], *(taken_by(each) for each in ours if each.resource_id == here.pk)]
            taken.sort(key=lambda each: each.start)
            self.offers[here.pk] = Offer(here, taken, Openings(here, now=self.now))
        window = Interval(booking.start_time, booking.start_time + NEXT_WITHIN)
        limits, terms, offer = self.limits.get(here.pk, ()), terms_of(here), self.offers[here.pk]
        if any(limit.period is None for limit in limits):
            owned = self._owned_at_all(wish)
        else:
            owned = self._owned_near(wish, window.widened(timedelta(0), length), limits, terms)
        offer.person = Allowance(terms, here.pk, limits=limits, owned=owned, now=self.now, booking_id=booking.pk)
        start = offer.first_start(window, length=length)
        return None if start is None else Interval(start, start + length)


def near(taken: Sequence[Taken], slot: Interval) -> Sequence[Taken]:
    """What of the taken slots overlaps a slot; they are in order and overlap nowhere."""
    first = bisect_right(taken, slot.start, key=lambda each: each.end)
    return taken[first : bisect_left(taken, slot.end, key=lambda each: each.start)]
