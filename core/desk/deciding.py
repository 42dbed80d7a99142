"""Decisions of staff about many bookings, each in a transaction of its own."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from core import lifecycle
from core.choices import Decision
from core.errors import BookingError, BookingMissing
from core.lifecycle import Changes
from core.lifecycle.transactions import Check
from core.models import Booking
from core.record.forms import act_of
from core.staff.moments import sentence_of

# The report of a decision names this many bookings that were left as they are.
NAMED = 100


def decide(
    decision: Decision,
    request: HttpRequest,
    bookings: Sequence[Booking],
    *,
    reason: str = "",
    gone: Collection[int] = (),
    check_of: Callable[[Booking], Check | None] = lambda booking: None,
) -> list[tuple[Booking, Booking]]:
    """Decides on each booking, and reports each that was left as it is with its reason.

    Args:
        decision: What is decided.
        request: The request, which gets the report.
        bookings: The bookings.
        reason: Why; the owners read it.
        gone: The ids of bookings that were chosen and are not there any more.
        check_of: A check of each booking under its lock.

    Returns:
        Each decided booking, before and after.
    """
    booking_admin: Any = admin.site.get_model_admin(Booking)
    done: list[tuple[Booking, Booking]] = []
    failures = [f"Booking {key}: {BookingMissing.message}" for key in sorted(gone)]
    changes = Changes(status=decision.status)
    for booking in bookings:
        try:
            with transaction.atomic():
                act, check = act_of(request, reason), check_of(booking)
                after = lifecycle.change(booking, changes=changes, act=act, expected=decision.about, check=check)
                booking_admin.log_change(request, after, f"Status changed from {booking.status} to {after.status}.")
        except BookingError as error:
            failures.append(f"{booking_admin.describe(booking)}: {sentence_of(error)}")
        else:
            done.append((booking, after))
    booking_admin.report(request, {decision.status.label: len(done)}, failures, maximum=NAMED)
    return done
