"""What becomes of many bookings in one act."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from core import errors, quotas, rules
from core.errors import BookingError, Verdict
from core.intervals import Interval
from core.lifecycle.ground import Ground
from core.lifecycle.repeating import local_time
from core.lifecycle.wishes import Wish
from core.querysets import locked
from core.terms import terms_of


def require_apart(slots: Iterable[Interval]) -> None:
    """Checks that dates of one resource do not overlap.

    Raises:
        SeriesOverlapsItself: When two of them do.
    """
    for first, second in pairwise(sorted(slots, key=lambda slot: slot.start)):
        if second.start < first.end:
            raise errors.SeriesOverlapsItself


def look(wishes: Sequence[Wish], user: User, *, now: datetime, one_by_one: bool) -> Ground:
    """Sets the error of each wish that cannot be written; locks the user if the answer depends on the person."""
    for wish in wishes:
        if wish.error is None:
            try:
                rules.require(wish.booking.slot, wish.booking.resource, now=now, asked=wish.asked, waiver=wish.waiver)
            except BookingError as error:
                wish.error = error
    taking = [wish for wish in wishes if wish.is_new and wish.error is None]
    if any(quotas.concern(terms_of(wish.booking.resource)) for wish in taking):
        locked(User.objects.filter(pk=user.pk)).first()
    ground = Ground(wishes, now=now)
    ground.judge(sorted(wishes, key=lambda wish: wish.booking.start_time), one_by_one=one_by_one)
    return ground


def verdicts_of(
    wishes: Sequence[Wish], ground: Ground, zone: ZoneInfo, *, missing: Iterable[datetime] = ()
) -> list[Verdict]:
    """What becomes of dates, with suggestions, in order; no statement, so that it can wait until the locks are free."""
    ground.suggest(wishes)
    verdicts = [Verdict(local_time(wish.booking.start_time, zone), wish.booking.slot, wish.error) for wish in wishes]
    verdicts += [Verdict(local, None, errors.NotOnTheClock()) for local in missing]
    return sorted(verdicts, key=lambda verdict: verdict.local_start)
