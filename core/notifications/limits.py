"""Limits the mails to one address. Messages beyond a limit are told as one mail, as soon as the limit allows it.

Anybody can register with the address of somebody else, and make the system write to it. Messages about a password and
the copies to `TO_EMAIL` have no limit and count nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from core.notifications.dates import booking_ids_of, facts_of_dates
from core.notifications.kinds import Kind
from core.notifications.messages import RETRY_FOR, new_message
from core.notifications.models import Notification
from core.notifications.recipients import Recipient, replaces_staff_copy
from core.outbox.channels import NotNeeded
from core.outbox.claims import unclaimed
from core.outbox.models import State
from core.prepared import KEY, MOMENT, TEXT, prepared
from core.querysets import locked
from core.record.facts import Facts
from core.record.series import is_of_series


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `number` mails within any `period`."""

    number: int
    period: timedelta

    def allows_from(self, sent: Sequence[datetime]) -> datetime | None:
        """The moment from which one more mail is allowed; None if it has always been allowed.

        Args:
            sent: The moments of the mails so far, the latest first.
        """
        return sent[self.number - 1] + self.period if len(sent) >= self.number else None


OF_ADDRESS = Limit(60, timedelta(hours=1))
OF_BOOKING = Limit(10, timedelta(hours=1))
OF_UNCONFIRMED_ADDRESS = Limit(10, timedelta(days=1))

# One mail names this many bookings.
MAX_BOOKINGS = 200
# The facts of a message that stands for no others yet.
NOTHING: Facts = {"messages": 0, "bookings": [], "more": 0}


def require_allowed(row: Notification, recipient: Recipient, *, now: datetime) -> None:
    """Checks that a message keeps the limits of its address; otherwise another message tells it later.

    Raises:
        NotNeeded: Another message tells it, or it is one of those that nobody misses.
    """
    user = row.user
    if user is None or not is_limited(row, user, recipient):
        return
    allowed_from = max([now, *moments_of_limits(row, recipient, now=now)])
    if allowed_from == now and not waits_for_others(row, user, now=now):
        return
    if row.kind not in Kind.about_bookings():
        raise NotNeeded("there were too many messages to this address")
    number = tell_later(row, user, due_at=allowed_from, now=now)
    raise NotNeeded(f"there were too many messages to this address: told in message {number}")


def is_limited(row: Notification, user: User, recipient: Recipient) -> bool:
    """False for a message that always comes."""
    if row.kind == Kind.EMAIL_CHANGED:
        return not recipient.is_confirmed
    return row.kind not in Kind.without_limit() and not replaces_staff_copy(row, user, recipient.address)


def moments_of_limits(row: Notification, recipient: Recipient, *, now: datetime) -> list[datetime]:
    """The moments from which the limits that are reached allow one more mail."""
    longest = OF_ADDRESS if recipient.is_confirmed else OF_UNCONFIRMED_ADDRESS
    # Another process may be sending those before this one at this moment.
    ahead = [(now, booking_id) for booking_id in on_their_way(to=row.to, now=now, before=row.pk)]
    mails = [*ahead, *sent_to(to=recipient.address, since=now - longest.period)]
    all_moments = [moment for moment, _ in mails]
    moments = [longest.allows_from(all_moments), OF_ADDRESS.allows_from(all_moments)]
    if row.booking_id is not None:
        of_booking = [moment for moment, booking_id in mails if booking_id == row.booking_id]
        moments.append(OF_BOOKING.allows_from(of_booking))
    return [moment for moment in moments if moment is not None]


@prepared(to=TEXT, since=MOMENT)
def sent_to(*, to: str, since: datetime) -> QuerySet[Notification, Any]:
    """The moment and the booking of each mail to an address since a moment, the latest first."""
    sent = counted().filter(state=State.SENT, to=to, done_at__gt=since)
    return sent.order_by("-done_at").values_list("done_at", "booking_id")[: OF_ADDRESS.number]


@prepared(to=TEXT, now=MOMENT, before=KEY)
def on_their_way(*, to: str, now: datetime, before: int) -> QuerySet[Notification, Any]:
    """The booking of each mail to an address that was written before another one and is being sent now."""
    ahead = counted().filter(state=State.WAITING, to=to, claimed_until__gt=now, pk__lt=before)
    return ahead.order_by("pk").values_list("booking_id", flat=True)[: OF_ADDRESS.number]


def counted() -> QuerySet[Notification]:
    """The mails that count; a row without user and facts is of a deleted account."""
    to_users = Notification.objects.filter(Q(user__isnull=False) | Q(facts={}))
    return to_users.exclude(kind__in=Kind.without_limit())


def keep_counting(user: User, *, now: datetime) -> None:
    """Keeps the mails of the last day of an account that is being deleted, without what they told.

    Otherwise somebody could register with the address of a stranger, delete the account, and begin again.
    """
    sent = Notification.objects.filter(user=user, state=State.SENT, done_at__gt=now - OF_UNCONFIRMED_ADDRESS.period)
    sent.update(user=None, facts={})


# --- The message that stands for others -------------------------------------------------------------------------------


def in_one_of(user_id: int, *, now: datetime) -> QuerySet[Notification]:
    """The messages of a user that stand for others and that nobody is sending now."""
    waiting = Notification.objects.filter(user_id=user_id, kind=Kind.BOOKINGS_IN_ONE, state=State.WAITING)
    return waiting.filter(unclaimed(now)).order_by("pk")


def waits_for_others(row: Notification, user: User, *, now: datetime) -> bool:
    """True if a message that stands for others already tells of the same booking: what came later is told later."""
    waiting = told_in_one(user_id=user.pk, now=now, except_id=row.pk)
    told = {each["booking"]["id"] for facts in waiting for each in cast(Facts, facts)["bookings"]}
    return bool(told) and not told.isdisjoint(booking_ids_of(row))


@prepared(user_id=KEY, now=MOMENT, except_id=KEY)
def told_in_one(*, user_id: int, now: datetime, except_id: int) -> QuerySet[Notification, Any]:
    """What the messages of a user that stand for others tell, except one and those that somebody is sending now."""
    return in_one_of(user_id, now=now).exclude(pk=except_id).values_list("facts", flat=True)


@transaction.atomic
def tell_later(row: Notification, user: User, *, due_at: datetime, now: datetime) -> int:
    """Adds a message to the one that stands for others, or writes that one, and returns its number.

    Raises:
        NotNeeded: Somebody deleted the account.
    """
    # Several processes may come here at once.
    if locked(User._default_manager.filter(pk=user.pk)).first() is None:
        raise NotNeeded("the account was deleted")
    later = locked(in_one_of(user.pk, now=now).exclude(pk=row.pk)).first() or new_message(
        Kind.BOOKINGS_IN_ONE, now=now, user=user, to=row.to, facts=dict(NOTHING)
    )
    later.facts = with_message(later.facts, row)
    later.due_at = max(later.due_at, due_at)
    later.retry_until = later.due_at + RETRY_FOR
    later.save()
    return later.pk


def with_message(facts: Facts, row: Notification) -> Facts:
    """Returns the facts of a message that stands for others, with one message more; each booking as it is now."""
    bookings = {each["booking"]["id"]: each for each in facts["bookings"]}
    told = told_by(row)
    left_out = 0
    for each in told["bookings"]:
        if each["booking"]["id"] in bookings or len(bookings) < MAX_BOOKINGS:
            bookings[each["booking"]["id"]] = each
        else:
            left_out += 1
    # One message may be about many bookings: `more` counts messages.
    more = facts["more"] + told["more"] + min(left_out, told["messages"])
    return {"messages": facts["messages"] + told["messages"], "bookings": list(bookings.values()), "more": more}


def told_by(row: Notification) -> Facts:
    """What a message tells, as one that stands for others keeps it."""
    if row.kind == Kind.BOOKINGS_IN_ONE:
        return row.facts
    if not is_of_series(row.facts):
        return {"messages": 1, "bookings": [row.facts["after"]], "more": 0}
    dates = facts_of_dates(row.facts["act"])
    return {"messages": 1, "bookings": [each["after"] for each in dates], "more": 0 if dates else 1}
