"""The list for staff of bookings that wait for approval: a day before they expire, once, in one mail."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core.models import Booking, Notification, NotificationPreferences, Resource
from core.notifications import approvals, messages
from core.notifications.kinds import Kind
from core.tests.support.factories import at, make_booking, make_pending_booking, make_user
from core.tests.support.mailing import deliver
from core.tests.support.parallel import in_parallel
from core.tests.support.plans import plan_of

Sent = list[EmailMultiAlternatives]

MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# The first booking starts then.
START = at(10, day=5)


@pytest.fixture(autouse=True)
def _staff(settings: Settings) -> None:
    settings.TO_EMAIL = ["staff@example.org"]


@pytest.fixture
def booking(alice: User, lab: Resource) -> Booking:
    return make_pending_booking(alice, lab, START)


def lists() -> list[tuple[str, list[int]]]:
    """The address and the named bookings of each list, oldest first."""
    rows = Notification.objects.filter(kind=Kind.APPROVALS_WANTED).order_by("pk")
    return [(row.to, [each["booking"]["id"] for each in row.facts["bookings"]]) for row in rows]


def look_every_hour(start: datetime, end: datetime) -> dict[datetime, int]:
    """When lists were written, and how many bookings each names."""
    found = {}
    while start < end:
        if approvals.write_due(now=start):
            row = Notification.objects.filter(kind=Kind.APPROVALS_WANTED).latest("pk")
            found[start] = len(row.facts["bookings"])
        start += HOUR
    return found


def test_staff_hear_of_it_a_day_before(booking: Booking, mailoutbox: Sent) -> None:
    deliver(now=START - DAY - timedelta(minutes=1))
    assert mailoutbox == []
    deliver(now=START - DAY)
    (mail,) = mailoutbox
    assert mail.to == ["staff@example.org"]
    assert mail.subject == "1 booking waits for approval"
    day = f"{START:%Y-%m-%d}"
    assert mail.body == (
        "This booking begins within two days and waits for approval. It expires unless staff confirm it before its "
        "start:\n\n"
        f"Lab, for alice\n    {day} 10:00 UTC to {day} 11:00 UTC\n\n"
        "This address is told of every change of a booking.\nhttps://app.example.org\n"
    )
    html = mail.alternatives[0].content
    assert "It expires unless staff confirm it before its start." in html
    assert "<strong>Lab, for alice</strong>" in html


def test_one_mail_names_all_of_two_days(alice: User, bob: User, lab: Resource, mailoutbox: Sent) -> None:
    for user, hours in ((alice, 0), (bob, 2), (alice, 24), (bob, 25)):
        make_pending_booking(user, lab, START + hours * HOUR)
    make_booking(bob, lab, START + 4 * HOUR)
    deliver(now=START - DAY + timedelta(minutes=1))
    (mail,) = mailoutbox
    assert mail.subject == "3 bookings wait for approval"
    assert mail.body.startswith(
        "These bookings begin within two days and wait for approval. Each of them expires unless staff confirm it "
        "before its start:\n"
    )
    assert [line for line in mail.body.splitlines() if line.startswith("Lab")] == [
        "Lab, for alice",
        "Lab, for bob",
        "Lab, for alice",
    ]


def test_times_are_in_the_zone_of_the_reader(booking: Booking, settings: Settings, mailoutbox: Sent) -> None:
    reader = make_user("chief", is_staff=True)
    NotificationPreferences.objects.create(user=reader, time_zone="Asia/Tokyo")
    settings.TO_EMAIL = [reader.email]
    deliver(now=START - DAY)
    (mail,) = mailoutbox
    assert f"{START:%Y-%m-%d} 19:00" in mail.body
    assert "Times in Asia/Tokyo." in mail.body


def test_a_list_names_at_most_200_and_counts_the_others(alice: User, lab: Resource, mailoutbox: Sent) -> None:
    minute = timedelta(minutes=1)
    for number in range(203):
        make_booking(alice, lab, START + number * minute, START + (number + 1) * minute, status="pending")
    deliver(now=START - DAY)
    (mail,) = mailoutbox
    assert mail.subject == "203 bookings wait for approval"
    assert mail.body.count("Lab, for alice\n") == 200
    assert "\nand 3 more.\n" in mail.body
    assert len(Notification.objects.get().facts["bookings"]) == 200


# --- Which ones -------------------------------------------------------------------------------------------------------

BOUNDARIES = {
    "a day before the start": ({}, START - DAY, True),
    "a moment earlier": ({}, START - DAY - MOMENT, False),
    "later, where nobody looked in time": ({}, START - MOMENT, True),
    "at the start": ({}, START, False),
    "written a day before the start": ({"updated_at": START - DAY}, START - DAY, True),
    "written later": ({"updated_at": START - DAY + timedelta(seconds=1)}, START - HOUR, False),
    "confirmed": ({"status": "confirmed"}, START - DAY, False),
    "cancelled": ({"status": "cancelled"}, START - DAY, False),
    "rejected": ({"status": "rejected"}, START - DAY, False),
}


@pytest.mark.parametrize(("columns", "now", "named"), BOUNDARIES.values(), ids=BOUNDARIES)
def test_the_boundaries(columns: dict, now: datetime, named: bool, booking: Booking) -> None:
    Booking.objects.update(**columns)
    assert approvals.write_due(now=now) == named
    assert lists() == ([("staff@example.org", [booking.pk])] if named else [])


# --- Once -------------------------------------------------------------------------------------------------------------


def test_each_is_named_once_a_day_or_more_before_it_starts_and_a_day_has_one_list(alice: User, lab: Resource) -> None:
    starts = [START + hours * HOUR for hours in (0, 1, 23, 24, 25, 47, 48, 49, 72, 200, 201, 260)]
    bookings = [make_pending_booking(alice, lab, start) for start in starts]
    written = look_every_hour(START - 3 * DAY, START + 12 * DAY)
    assert [pk for _, named in lists() for pk in named] == [booking.pk for booking in bookings]
    moments = list(written)
    assert all(later - earlier >= DAY for earlier, later in zip(moments, moments[1:], strict=False))
    when = [moment for moment, number in written.items() for _ in range(number)]
    assert all(DAY <= start - moment <= 2 * DAY for start, moment in zip(starts, when, strict=True))


@pytest.mark.django_db(transaction=True)
def test_it_is_written_once_by_many_at_the_same_time(
    alice: User, lab: Resource, settings: Settings, mailoutbox: Sent
) -> None:
    settings.TO_EMAIL = ["one@example.org", "two@example.org"]
    for number, day in enumerate((0, 3), 1):
        make_pending_booking(alice, lab, START + day * DAY)
        now = START + (day - 1) * DAY
        in_parallel([lambda now=now, each=each: approvals.write_due(now=now + each * MOMENT) for each in range(4)])
        assert len(lists()) == 2 * number
    assert {address for address, _ in lists()} == {"one@example.org", "two@example.org"}


def test_a_new_address_gets_the_next_list_of_its_own(booking: Booking, settings: Settings) -> None:
    approvals.write_due(now=START - DAY)
    settings.TO_EMAIL = ["staff@example.org", "new@example.org", "STAFF@example.org"]
    assert approvals.write_due(now=START - HOUR) == 1
    assert lists() == [("staff@example.org", [booking.pk]), ("new@example.org", [booking.pk])]


def test_the_clean_up_of_old_lists_brings_none_back(booking: Booking, alice: User, lab: Resource) -> None:
    approvals.write_due(now=START - DAY)
    Notification.objects.update(state="sent", done_at=at(0, day=-40), created_at=at(0, day=-40))
    later = make_pending_booking(alice, lab, START + DAY)
    call_command("clean_up")
    assert lists() == []
    assert approvals.write_due(now=START) == 1
    assert approvals.write_due(now=START + HOUR) == 0
    assert lists() == [("staff@example.org", [later.pk])]


# --- The look ---------------------------------------------------------------------------------------------------------


def statements(now: datetime) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        approvals.write_due(now=now)
    return [query["sql"] for query in captured]


def test_without_an_address_nothing_is_looked_up(booking: Booking, settings: Settings) -> None:
    settings.TO_EMAIL = []
    assert statements(START - DAY) == []


def test_a_look_is_two_statements_and_one_within_a_day_of_a_list(booking: Booking, settings: Settings) -> None:
    settings.TO_EMAIL = [f"staff{number}@example.org" for number in range(20)]
    assert len(statements(START - 2 * DAY)) == 2
    assert approvals.write_due(now=START - DAY) == 20
    assert len(statements(START - HOUR)) == 1


@pytest.mark.parametrize("number", [0, 1], ids=["the last lists", "the bookings that wait"])
def test_each_statement_walks_an_index_of_its_own(number: int, booking: Booking) -> None:
    for day in range(1, 30):
        make_booking(booking.user, booking.resource, START + day * DAY)
        messages.new_message(Kind.PASSWORD_CHANGED, now=START, to="a@example.org").save()
    statement = statements(START - 2 * DAY)[number]
    index = ("core_notification_one_list", "core_booking_expiring")[number]
    assert index in (plan := plan_of(statement)), plan
