"""Reminders: when they are due, and only once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from core.models import Booking, Notification, NotificationPreferences, Resource
from core.notifications import messages, reminders
from core.notifications.kinds import Kind
from core.outbox import worker
from core.outbox.delivery import Begun
from core.tests.support.factories import at, make_booking, make_user
from core.tests.support.mailing import deliver
from core.tests.support.parallel import in_parallel
from core.tests.support.plans import plan_of

Sent = list[EmailMultiAlternatives]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def booking(alice: User, room: Resource) -> Booking:
    """Tomorrow, 10 to 11, made yesterday."""
    return made_yesterday(make_booking(alice, room))


def made_yesterday(booking: Booking) -> Booking:
    Booking.objects.filter(pk=booking.pk).update(created_at=timezone.now() - timedelta(days=1))
    return booking


def prefer(user: User, **wanted: object) -> None:
    NotificationPreferences.objects.update_or_create(user=user, defaults=wanted)


def test_it_comes_an_hour_before_the_start_and_says_when(booking: Booking, mailoutbox: Sent) -> None:
    deliver(now=booking.start_time - timedelta(minutes=61))
    assert mailoutbox == []
    deliver(now=booking.start_time - timedelta(minutes=60))
    (mail,) = mailoutbox
    start = f"{at(10):%Y-%m-%d} 10:00 UTC"
    assert mail.to == ["alice@example.org"]
    assert mail.subject == f"Reminder: Blue room, {start}"
    assert mail.body.startswith(f"Hello alice,\n\nYour booking of Blue room begins on {start}.\n\nThe booking:\n")


@pytest.mark.parametrize("minutes", [1, 60, 90, 1440, 10080])
def test_it_comes_as_long_before_as_its_user_wants(minutes: int, alice: User, room: Resource, mailoutbox: Sent) -> None:
    booking = make_booking(alice, room, at(10, day=9))
    prefer(alice, reminder_minutes=minutes)
    deliver(now=booking.start_time - (minutes + 1) * MINUTE)
    assert mailoutbox == []
    deliver(now=booking.start_time - minutes * MINUTE)
    assert len(mailoutbox) == 1


def test_each_user_is_reminded_in_their_own_time(
    alice: User, bob: User, room: Resource, lab: Resource, mailoutbox: Sent
) -> None:
    for user, resource in ((alice, room), (bob, lab)):
        made_yesterday(make_booking(user, resource))
    prefer(bob, reminder_minutes=None)
    deliver(now=at(9.5))
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]


def test_to_the_microsecond_it_is_due_at_that_moment(booking: Booking) -> None:
    due = booking.start_time - timedelta(hours=1)
    assert reminders.write_due(now=due - timedelta(microseconds=1)) == 0
    assert reminders.write_due(now=due) == 1


NO_REASON = {
    "pending": {"status": "pending"},
    "cancelled": {"status": "cancelled"},
    "rejected": {"status": "rejected"},
    "made when it would have been due": {"created_at": at(9)},
    "made later than that": {"created_at": at(9.5)},
}


@pytest.mark.parametrize("columns", NO_REASON.values(), ids=NO_REASON)
def test_there_is_none_for(columns: dict, booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(**columns)
    assert reminders.write_due(now=at(9.75)) == 0
    assert Notification.objects.count() == 0


@pytest.mark.parametrize("columns", [{"is_active": False}, {"email": ""}], ids=["not active", "no address"])
def test_there_is_none_for_a_user_who_is(columns: dict, booking: Booking) -> None:
    User.objects.update(**columns)
    assert reminders.write_due(now=at(9.5)) == 0


@pytest.mark.parametrize("now", [at(10), at(10.5), at(12)], ids=["at the start", "while it runs", "after it"])
def test_it_never_comes_late(now: datetime, booking: Booking, mailoutbox: Sent) -> None:
    deliver(now=now)
    assert mailoutbox == []


def test_it_comes_late_but_before_the_start_where_nothing_delivered_in_time(booking: Booking, mailoutbox: Sent) -> None:
    deliver(now=at(9.99))
    assert len(mailoutbox) == 1


def test_staff_are_not_reminded(booking: Booking, settings: Settings, mailoutbox: Sent) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    deliver(now=at(9.5))
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]


# --- Once -------------------------------------------------------------------------------------------------------------


def test_it_comes_once_however_often_somebody_looks(booking: Booking, mailoutbox: Sent) -> None:
    for minute in range(0, 60, 7):
        deliver(now=at(9) + minute * MINUTE)
    assert len(mailoutbox) == 1


def test_a_change_of_the_wish_brings_no_second_one(booking: Booking, alice: User, mailoutbox: Sent) -> None:
    prefer(alice, reminder_minutes=120)
    deliver(now=at(8))
    prefer(alice, reminder_minutes=30)
    deliver(now=at(9.5))
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_written_once_by_many_at_the_same_time(alice: User, room: Resource, mailoutbox: Sent) -> None:
    for hour in range(10, 20):
        made_yesterday(make_booking(alice, room, at(hour)))
    prefer(alice, reminder_minutes=1440)
    now = at(9.5)
    in_parallel([lambda: deliver(now=now)] * 4)
    assert Notification.objects.filter(kind=Kind.BOOKING_REMINDER).count() == 10
    assert len(mailoutbox) == 10
    assert len({mail.subject for mail in mailoutbox}) == 10


def test_a_moved_booking_has_another_one_at_its_new_time(booking: Booking, mailoutbox: Sent) -> None:
    deliver(now=at(9))
    Booking.objects.filter(pk=booking.pk).update(start_time=at(14), end_time=at(15))
    deliver(now=at(12.9))
    assert len(mailoutbox) == 1
    deliver(now=at(13))
    assert ["10:00" in mail.subject for mail in mailoutbox] == [True, False]
    Booking.objects.filter(pk=booking.pk).update(start_time=at(10), end_time=at(11))
    deliver(now=at(9.5))
    assert len(mailoutbox) == 2


LOST = {
    "cancelled": ({"status": "cancelled"}, "does not stand any more"),
    "put back": ({"status": "pending"}, "does not stand any more"),
    "moved": ({"start_time": at(10.5)}, "was moved"),
}


@pytest.mark.parametrize(("columns", "reason"), LOST.values(), ids=LOST)
def test_one_that_waits_is_dropped_when_its_booking_is(
    columns: dict, reason: str, booking: Booking, mailoutbox: Sent
) -> None:
    reminders.write_due(now=at(9))
    Booking.objects.filter(pk=booking.pk).update(**columns)
    deliver(now=at(9))
    assert mailoutbox == []
    row = Notification.objects.get()
    assert row.state == "dropped"
    assert reason in row.last_error


BACK = {
    "cancelled": ({"status": "cancelled"}, {"status": "confirmed"}),
    "moved": ({"start_time": at(10.5)}, {"start_time": at(10)}),
}


@pytest.mark.parametrize(("columns", "back"), BACK.values(), ids=BACK)
def test_it_comes_all_the_same_when_its_booking_is_back(
    columns: dict, back: dict, booking: Booking, mailoutbox: Sent
) -> None:
    reminders.write_due(now=at(9))
    Booking.objects.filter(pk=booking.pk).update(**columns)
    deliver(now=at(9.1))
    Booking.objects.filter(pk=booking.pk).update(**back)
    for _ in range(2):
        deliver(now=at(9.2))
    assert ["10:00" in mail.subject for mail in mailoutbox] == [True]


def test_it_comes_all_the_same_when_it_is_wanted_again(booking: Booking, alice: User, mailoutbox: Sent) -> None:
    reminders.write_due(now=at(9))
    prefer(alice, reminder_minutes=None)
    deliver(now=at(9))
    prefer(alice, reminder_minutes=30)
    deliver(now=at(9.5))
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("wish", [{"reminder_minutes": None}, {"refused_address": "alice@example.org"}])
def test_staff_who_want_none_get_none(
    wish: dict, booking: Booking, alice: User, settings: Settings, mailoutbox: Sent
) -> None:
    settings.TO_EMAIL = ["alice@example.org"]
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    reminders.write_due(now=at(9))
    prefer(alice, **wish)
    deliver(now=at(9))
    assert mailoutbox == []


def test_one_that_staff_dropped_stays_dropped(booking: Booking, mailoutbox: Sent) -> None:
    reminders.write_due(now=at(9))
    messages.drop(Notification.objects.all(), now=at(9))
    deliver(now=at(9.5))
    assert mailoutbox == []


def test_looking_costs_the_same_however_many_wishes_there_are(room: Resource) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert reminders.write_due(now=at(9)) == 0
        return len(captured)

    first = statements()
    for minutes in range(1, 20):
        prefer(make_user(f"user{minutes}"), reminder_minutes=minutes)
    assert statements() == first == 2


@pytest.mark.parametrize(
    ("number", "index"),
    [(0, "by_start"), (1, "by_user")],
    ids=["the default", "another wish"],
)
def test_whoever_looks_walks_along_the_next_bookings_alone(number: int, index: str, booking: Booking) -> None:
    """A wish for a week ahead reads the week of its own user, and not that of everybody."""
    prefer(booking.user, reminder_minutes=10080)
    others = User.objects.bulk_create(User(username=f"user{each}", email=f"{each}@example.org") for each in range(100))
    Booking.objects.bulk_create(
        Booking(user=user, resource=booking.resource, start_time=start, end_time=start + MINUTE, status="confirmed")
        for place, user in enumerate(others)
        for start in (at(0, day=-6) + (place + 100 * each) * 2 * MINUTE for each in range(30))
    )
    with CaptureQueriesContext(connection) as captured:
        assert reminders.write_due(now=at(9, day=-7)) == 0
    assert f"{index} " in (plan := plan_of(captured[number]["sql"])), plan


def test_a_process_that_delivers_looks_once_a_minute(booking: Booking, mailoutbox: Sent) -> None:
    begun: Begun = {}
    worker.run_due(now=at(9) - MINUTE, begun=begun)
    assert worker.run_due(now=at(9), begun=begun)["written"] == 0
    begun[reminders.write_reminders] -= 60
    assert worker.run_due(now=at(9), begun=begun)["written"] == 1
    assert len(mailoutbox) == 1


def test_all_are_written_though_many_are_due_at_once(alice: User, room: Resource, monkeypatch) -> None:
    monkeypatch.setattr(reminders, "BATCH", 2)
    for minutes in range(0, 50, 10):
        made_yesterday(make_booking(alice, room, at(10) + minutes * MINUTE, at(10) + (minutes + 10) * MINUTE))
    assert reminders.write_due(now=at(9.9)) == 5


def test_one_that_waits_is_dropped_when_its_booking_is_gone_or_has_begun(booking: Booking, mailoutbox: Sent) -> None:
    reminders.write_due(now=at(9))
    deliver(now=at(10))
    assert Notification.objects.get().last_error == "the booking has begun"
    Notification.objects.update(state="waiting")
    booking.delete()
    deliver(now=at(9.5))
    assert Notification.objects.get().last_error == "the booking does not stand any more"
    assert mailoutbox == []


# --- The nights when clocks change ------------------------------------------------------------------------------------


def night_of_change(zone: str, *, back: bool) -> datetime:
    """The next moment at which the clocks of a time zone are set forward, or back."""
    moment = timezone.now().replace(minute=0, second=0, microsecond=0)
    local = ZoneInfo(zone)
    while True:
        before, moment = moment, moment + timedelta(hours=1)
        change = moment.astimezone(local).utcoffset() - before.astimezone(local).utcoffset()
        if change and (change < timedelta(0)) is back:
            return moment


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("back", [False, True], ids=["forward", "back"])
@pytest.mark.parametrize("minutes", [30, 60, 180, 1440])
def test_it_is_neither_early_nor_late_nor_twice_when_clocks_change(
    zone: str,
    back: bool,
    minutes: int,
    alice: User,
    room: Resource,
    mailoutbox: Sent,
    django_assert_max_num_queries: Callable,
) -> None:
    """Whoever looks every ten minutes finds each of three bookings due once, at its moment.

    Between the hours of the reminders and that night, one look an hour is enough.
    """
    change = night_of_change(zone, back=back)
    prefer(alice, time_zone=zone, reminder_minutes=minutes)
    starts = [change + timedelta(hours=hours) for hours in (-1, 0, 1)]
    for start in starts:
        make_booking(alice, room, start, start + timedelta(minutes=30))
    Booking.objects.update(created_at=change - timedelta(days=3))
    written: dict[datetime, datetime] = {}
    now = starts[0] - (minutes + 60) * MINUTE
    while now < starts[-1] + timedelta(hours=1):
        for _ in range(reminders.write_due(now=now)):
            row = Notification.objects.order_by("starts_at")[len(written)]
            written[row.starts_at] = now
        near = any(abs(now - hour) <= timedelta(hours=2) for hour in (change - minutes * MINUTE, change))
        now += (10 if near else 60) * MINUTE
    assert written == {start: start - minutes * MINUTE for start in starts}
    assert Notification.objects.count() == 3


def test_the_hour_that_comes_twice_has_two_names(alice: User, room: Resource, mailoutbox: Sent) -> None:
    change = night_of_change("Europe/Berlin", back=True)
    prefer(alice, time_zone="Europe/Berlin")
    for start in (change - timedelta(minutes=30), change + timedelta(minutes=30)):
        booking = make_booking(alice, room, start, start + timedelta(minutes=30))
        Booking.objects.filter(pk=booking.pk).update(created_at=change - timedelta(days=3))
        deliver(now=start - 60 * MINUTE)
    day = f"{change.astimezone(UTC):%Y-%m-%d}"
    assert [mail.subject for mail in mailoutbox] == [
        f"Reminder: Blue room, {day} 02:30 CEST",
        f"Reminder: Blue room, {day} 02:30 CET",
    ]
    assert all("Zone:     Europe/Berlin\n" in mail.body for mail in mailoutbox)
