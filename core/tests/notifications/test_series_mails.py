"""One mail for each act on a series: who gets it, and what it says of the dates."""

import json
from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core import lifecycle
from core.choices import IfRefused, Scope
from core.errors import BookingError
from core.errors.dates import REASONS
from core.lifecycle import Changes
from core.models import Booking, Notification, Resource, Series
from core.notifications import messages, preferences
from core.notifications.limits import MAX_BOOKINGS, NOTHING, tell_later, with_message
from core.record.models import BookingEvent
from core.tests.notifications.test_mails_booking import Words, html_of
from core.tests.support.acts import act
from core.tests.support.factories import TODAY, at, make_booking, make_user
from core.tests.support.mailing import deliver, hand_on
from core.tests.support.parallel import in_parallel
from core.tests.support.records import without_triggers
from core.tests.support.repeating import book_series, dates_of
from core.tests.support.sendgrid_server import SendGridServer

pytestmark = pytest.mark.django_db(transaction=True)

Sent = list[EmailMultiAlternatives]

SERVER = "https://testserver"
SPAM = "Buy at http://spam.example"
DAILY = "Repeats:  every day, 3 times, 10:00 to 11:00 UTC"
# The provider refuses a mail of 30 MB, and the call has five seconds.
MOST_BYTES = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def _told_staff(settings: Settings) -> None:
    settings.TO_EMAIL = ["staff@example.org"]


def sent(mailoutbox: Sent, *, now: datetime | None = None) -> Sent:
    """The mails since the last look, once all that is due has been delivered."""
    mailoutbox.clear()
    deliver(now=now)
    return list(mailoutbox)


def to_owner(mailoutbox: Sent, *, now: datetime | None = None) -> EmailMultiAlternatives:
    """The one mail to alice."""
    (mail,) = (each for each in sent(mailoutbox, now=now) if each.to == ["alice@example.org"])
    return mail


def span(booking: Booking) -> str:
    return f"{booking.start_time:%a %Y-%m-%d %H:%M} to {booking.end_time:%H:%M}"


def listed(mail: EmailMultiAlternatives, title: str) -> list[str]:
    """The lines of a list in the text, which the HTML has as well."""
    after = mail.body.partition(f"\n{title}: ")[2]
    lines = [line.strip() for line in after.partition("\n\n")[2].partition("\n\n")[0].splitlines()]
    words = " ".join(Words(html_of(mail)).words)
    for line in lines:
        assert " ".join(line.split()) in words
    return lines


def kinds() -> list[str]:
    """The kinds of the messages to the owner, oldest first."""
    rows = Notification.objects.exclude(user=None).order_by("pk")
    return list(rows.values_list("kind", flat=True))


# --- A new series -----------------------------------------------------------------------------------------------------


def test_the_link_leads_to_the_series_on_the_booking_page(
    settings: Settings, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    settings.HOME_URL = settings.PUBLIC_URL = SERVER
    settings.BOOKING_PAGE = True
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    for mail in sent(mailoutbox):
        assert f"{SERVER}/series/{made.pk}" in mail.body.splitlines()
        assert f"{SERVER}/series/{made.pk}" in Words(html_of(mail)).links


def test_a_new_series_is_one_mail_to_the_owner_and_one_to_staff(alice: User, room: Resource, mailoutbox: Sent) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3", notes="Stand-up\nBring tea").series
    mine, copy = sent(mailoutbox)
    spans = "".join(f"  {span(booking)}\n" for booking in dates_of(made))
    about = "Notes:\n> Stand-up\n> Bring tea\n\nBooked: 3 dates\n\n" + spans + "\nTimes in UTC.\n"
    assert (mine.to, mine.subject) == (
        ["alice@example.org"],
        "Booked 3 dates: Blue room, every day, 3 times",
    )
    assert mine.body == (
        "Hello alice,\n\nYou booked Blue room on 3 dates. The bookings are confirmed.\n\nThe series:\n\n"
        f"Resource: Blue room\n{DAILY}\nStatus:   confirmed\nSeries:   no. {made.pk}\n\n{about}\n"
        "You get this message because the bookings are yours.\nhttps://app.example.org\n"
    )
    assert (copy.to, copy.subject) == (
        ["staff@example.org"],
        "Booked 3 dates: Blue room, every day, 3 times (alice)",
    )
    assert copy.body == (
        "alice booked Blue room on 3 dates. The bookings are confirmed.\n\nThe series:\n\n"
        f"Resource: Blue room\n{DAILY}\nStatus:   confirmed\nFor:      alice <alice@example.org>\n"
        f"Series:   no. {made.pk}\n\n{about}\n"
        "This address is told of every change of a booking.\nhttps://app.example.org\n"
    )
    assert not {"script", "img", "link", "style", "b"} & set(Words(html_of(mine)).tags)
    assert kinds() == ["booking_created"]


def test_one_that_waits_for_approval_says_so(alice: User, lab: Resource, mailoutbox: Sent) -> None:
    book_series(alice, lab, "FREQ=DAILY;COUNT=3")
    mail = to_owner(mailoutbox)
    assert mail.subject == "Waiting for approval, 3 dates: Lab, every day, 3 times"
    assert "The bookings wait for approval: staff decide, and you will get a message then." in mail.body


def test_made_and_skipped_dates_are_those_of_the_answer(
    alice: User, bob: User, room: Resource, mailoutbox: Sent
) -> None:
    for day in (2, 4, 6):
        make_booking(bob, room, at(10.5, day=day))
    outcome = book_series(alice, room, on_conflict=IfRefused.SKIP)
    mail = to_owner(mailoutbox)
    assert "You booked Blue room on 7 dates. 3 others were skipped." in mail.body
    assert listed(mail, "Booked") == [span(booking) for booking in outcome.bookings]
    shown = [verdict.as_json() for verdict in outcome.skipped]
    assert listed(mail, "Skipped") == [
        line
        for each in shown
        for line in (f"{each['start_time']:%a %Y-%m-%d %H:%M} to {each['end_time']:%H:%M}", REASONS[each["code"]])
    ]
    assert {each["code"] for each in shown} == {"slot_taken"}


def test_a_date_that_the_clock_skips_is_named_by_that_clock(alice: User, room: Resource, mailoutbox: Sent) -> None:
    spring = next_spring()
    start = datetime(spring.year, spring.month, spring.day - 1, 1, 30, tzinfo=timezone.get_fixed_timezone(0))
    book_series(alice, room, "FREQ=DAILY;COUNT=2", start=start, time_zone="Europe/Berlin")
    mail = to_owner(mailoutbox)
    assert listed(mail, "Skipped") == [
        f"Sun {spring} 02:30 to 03:30 Europe/Berlin",
        "The clocks go forward over this time on that day.",
    ]
    assert len(listed(mail, "Booked")) == 2


def next_spring() -> date:
    """The next last Sunday of March that is two days away at least."""
    for year in (TODAY.year, TODAY.year + 1):
        last = date(year, 3, 31)
        sunday = last - timedelta(days=(last.weekday() + 1) % 7)
        if sunday > TODAY.date() + timedelta(days=2):
            return sunday
    raise AssertionError


def test_times_are_on_the_clock_of_the_reader(alice: User, room: Resource, mailoutbox: Sent) -> None:
    preferences.change(alice, time_zone="Asia/Kolkata")
    book_series(alice, room, "FREQ=DAILY;COUNT=3")
    mail = to_owner(mailoutbox)
    assert DAILY in mail.body
    assert listed(mail, "Booked")[0] == f"{at(10):%a %Y-%m-%d} 15:30 to 16:30"
    assert "Times in Asia/Kolkata." in mail.body


def test_every_refusal_of_a_date_has_a_reason_in_words() -> None:
    known = {each.code for each in every(BookingError)}
    assert set(REASONS) <= known
    assert all(reason.endswith(".") for reason in REASONS.values())


def every(kind: type) -> list[type]:
    return [each for below in kind.__subclasses__() for each in (below, *every(below))]


def test_a_list_of_366_dates_names_two_hundred_and_counts_the_others(
    alice: User, room: Resource, mailoutbox: Sent
) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=366")
    mail = to_owner(mailoutbox)
    lines = listed(mail, "Booked")
    assert len(lines) == messages.MAX_SLOTS + 1
    assert lines[-1] == "and 166 more."
    assert mail.subject.startswith("Booked 366 dates: Blue room")


@pytest.mark.parametrize("notes", ["", "🚲" * 5_000], ids=["no notes", "the longest notes"])
def test_the_provider_takes_366_dates(sendgrid: SendGridServer, alice: User, room: Resource, notes: str) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=366", notes=notes)
    deliver()
    lifecycle.cancel_some(only_series(), act=act(alice))
    deliver()
    assert sendgrid.receivers == ["alice@example.org"] * 2 + ["staff@example.org"] * 2
    assert max(map(len, sendgrid.requests)) < MOST_BYTES
    with_files = [body for body in map(json.loads, sendgrid.requests) if "attachments" in body]
    assert [file["filename"] for body in with_files for file in body["attachments"]] == ["series.ics"]


def only_series() -> Series:
    return Series.objects.select_related("user").get()


# --- Changes ----------------------------------------------------------------------------------------------------------


def test_moved_dates_are_listed_with_their_old_and_new_times(
    as_admin: APIClient, alice: User, room: Resource, lab: Resource, mailoutbox: Sent
) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    sent(mailoutbox)
    first = dates_of(made)[0]
    changes = Changes(start_time=at(14), end_time=at(15), notes="Later")
    lifecycle.change_dates(first, scope=Scope.ALL, changes=changes, act=act(alice))
    mail = to_owner(mailoutbox)
    assert mail.subject == "Changed 3 dates: Blue room, every day, 3 times"
    assert "You changed 3 dates of your series of Blue room." in mail.body
    assert "Time:     from 10:00–11:00\n          to 14:00–15:00\n" in mail.body
    assert "Notes before: none\n\nNotes now:\n> Later\n" in mail.body
    assert listed(mail, "Changed") == [
        f"{at(10, day=day):%a %Y-%m-%d} 10:00 to 11:00 → 14:00 to 15:00" for day in (1, 2, 3)
    ]
    changes = Changes(start_time=at(14, day=2), end_time=at(15, day=2), resource_id=lab.pk)
    admin = User.objects.get(username="admin")
    lifecycle.change_dates(dates_of(made)[0], scope=Scope.ALL, changes=changes, act=act(admin))
    mail = to_owner(mailoutbox)
    assert "admin (staff) changed 3 dates of your series of Lab." in mail.body
    assert (
        listed(mail, "Changed")[0]
        == f"{at(0):%a %Y-%m-%d} 14:00 to 15:00 → {at(0, day=2):%a %Y-%m-%d} 14:00 to 15:00, Lab"
    )


def test_the_following_dates_are_told_as_the_series_that_they_become(
    alice: User, room: Resource, mailoutbox: Sent
) -> None:
    made = book_series(alice, room).series
    sent(mailoutbox)
    third = dates_of(made)[2]
    changes = Changes(start_time=at(14, day=3), end_time=at(15, day=3))
    changed = lifecycle.change_dates(third, scope=Scope.FOLLOWING, changes=changes, act=act(alice))
    mail = to_owner(mailoutbox)
    assert mail.subject == "Changed 8 dates: Blue room, every day, 8 times"
    assert f"Series:   no. {changed.series_id}\n" in mail.body
    assert len(listed(mail, "Changed")) == 8
    assert "Repeats:  from" not in mail.body


def test_cancelled_dates_are_one_mail(alice: User, admin: User, room: Resource, mailoutbox: Sent) -> None:
    made = book_series(alice, room).series
    sent(mailoutbox)
    ids = [booking.pk for booking in dates_of(made)[2:4]]
    lifecycle.cancel_some(made, ids=ids, act=act(admin, reason="The floor is being mended."))
    mine, copy = sent(mailoutbox)
    assert mine.subject == "Cancelled 2 dates: Blue room, every day, 10 times"
    assert "Reason:\n> The floor is being mended.\n" in mine.body
    assert listed(mine, "Cancelled") == [span(booking) for booking in dates_of(made)[2:4]]
    assert "admin (staff) cancelled 2 dates of your series of Blue room. They no longer stand;" in mine.body
    assert "admin (staff) cancelled 2 dates of alice's series of Blue room. The slots are free again." in copy.body
    assert kinds() == ["booking_created", "booking_cancelled"]


@pytest.mark.parametrize(("status", "word"), [("confirmed", "Confirmed"), ("rejected", "Rejected")])
def test_one_decision_is_one_mail(
    alice: User, admin: User, lab: Resource, mailoutbox: Sent, status: str, word: str
) -> None:
    made = book_series(alice, lab, "FREQ=DAILY;COUNT=3").series
    sent(mailoutbox)
    lifecycle.decide_some(made, status, act=act(admin, reason="As agreed."))
    mail = to_owner(mailoutbox)
    assert mail.subject == f"{word} 3 dates: Lab, every day, 3 times"
    assert f"admin (staff) {status} 3 dates of your series of Lab.\n\nReason:\n> As agreed.\n" in mail.body
    assert len(listed(mail, word)) == 3
    assert kinds() == ["booking_created", f"booking_{status}"]


# --- Who is told nothing ----------------------------------------------------------------------------------------------


def test_new_notes_tell_nobody_of_the_dates_that_are_over(alice: User, room: Resource, mailoutbox: Sent) -> None:
    made = book_series(alice, room).series
    sent(mailoutbox)
    lifecycle.change_notes(made, notes="New", act=act(alice, now=at(12, day=3)))
    mail = to_owner(mailoutbox, now=at(12, day=3))
    assert listed(mail, "Changed") == [span(booking) for booking in dates_of(made)[3:]]
    lifecycle.change_notes(made, notes="Too late", act=act(alice, now=at(12, day=10)))
    assert sent(mailoutbox, now=at(12, day=10)) == []
    made.refresh_from_db()
    assert made.notes == "Too late"


def test_a_date_that_staff_name_though_it_is_over_is_in_no_list(
    alice: User, admin: User, room: Resource, mailoutbox: Sent
) -> None:
    made = book_series(alice, room).series
    sent(mailoutbox)
    now, first = at(12, day=3), dates_of(made)[0]
    lifecycle.change_dates(first, scope=Scope.ALL, changes=Changes(notes="New"), act=act(admin, now=now))
    assert [booking.notes for booking in dates_of(made)] == ["New", "", "", *["New"] * 7]
    mail = to_owner(mailoutbox, now=now)
    assert mail.subject.startswith("Changed 7 dates: ")
    assert listed(mail, "Changed") == [span(booking) for booking in dates_of(made)[3:]]


def test_a_note_of_staff_tells_nobody(alice: User, admin: User, room: Resource, mailoutbox: Sent) -> None:
    made = book_series(alice, room).series
    sent(mailoutbox)
    changes = Changes(staff_note="Pays late")
    lifecycle.change_dates(dates_of(made)[0], scope=Scope.ALL, changes=changes, act=act(admin))
    assert set(Booking.objects.values_list("staff_note", flat=True)) == {"Pays late"}
    assert sent(mailoutbox) == []


def test_an_act_that_is_refused_tells_nobody(alice: User, bob: User, room: Resource, mailoutbox: Sent) -> None:
    make_booking(bob, room, at(10, day=2))
    with pytest.raises(BookingError):
        book_series(alice, room)
    assert sent(mailoutbox) == []


def test_who_does_not_want_such_a_mail_gets_none(alice: User, admin: User, lab: Resource, mailoutbox: Sent) -> None:
    preferences.change(alice, booking_created=False, booking_confirmed=False)
    made = book_series(alice, lab).series
    lifecycle.decide_some(made, "confirmed", act=act(admin))
    assert {mail.to[0] for mail in sent(mailoutbox)} == {"staff@example.org"}


def test_a_move_with_a_decision_is_wanted_by_who_wants_changes(
    alice: User, admin: User, lab: Resource, mailoutbox: Sent
) -> None:
    preferences.change(alice, booking_confirmed=False)
    made = book_series(alice, lab, "FREQ=DAILY;COUNT=3").series
    sent(mailoutbox)
    changes = Changes(start_time=at(14), end_time=at(15), status="confirmed")
    lifecycle.change_dates(dates_of(made)[0], scope=Scope.ALL, changes=changes, act=act(admin))
    hand_on()
    assert kinds()[-1] == "booking_confirmed"
    assert listed(to_owner(mailoutbox), "Confirmed")[0] == f"{at(0):%a %Y-%m-%d} 10:00 to 11:00 → 14:00 to 15:00"


def test_an_owner_among_staff_gets_one_mail_and_no_copy(
    settings: Settings, admin: User, room: Resource, mailoutbox: Sent
) -> None:
    settings.TO_EMAIL = ["Admin@example.org", "staff@example.org"]
    preferences.change(admin, booking_created=False)
    book_series(admin, room)
    assert [mail.to[0] for mail in sent(mailoutbox)] == ["admin@example.org", "staff@example.org"]


def test_the_owner_can_unsubscribe_and_staff_cannot(
    settings: Settings, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    settings.PUBLIC_URL = SERVER
    book_series(alice, room)
    mine, copy = sent(mailoutbox)
    assert "No more messages about new bookings:" in mine.body
    assert mine.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in copy.extra_headers
    for mail in (mine, copy):
        address = f"{SERVER}/api/series/{only_series().pk}/"
        assert f"The series in the API:\n{address}\n" in mail.body
        assert address in Words(html_of(mail)).links


# --- Addresses that are not confirmed, and limits ---------------------------------------------------------------------


def test_an_unconfirmed_address_gets_no_words_that_a_user_wrote(
    settings: Settings, bob: User, admin: User, room: Resource, mailoutbox: Sent
) -> None:
    settings.PUBLIC_URL = SERVER
    spammer = make_user("Buy.spam.example", email="stranger@example.net", first_name="Spam", last_name="Spammer")
    preferences.change(spammer, unconfirmed_address=spammer.email)
    made = book_series(spammer, room, notes=SPAM).series
    lifecycle.change_notes(made, notes=SPAM * 2, act=act(spammer))
    lifecycle.cancel_some(made, act=act(admin, reason=SPAM))
    mails = [mail for mail in sent(mailoutbox) if mail.to == ["stranger@example.net"]]
    assert [len(mail.attachments) for mail in mails] == [1, 1, 10]
    for mail in mails:
        files = "".join(content if isinstance(content, str) else content.decode() for _, content, _ in mail.attachments)
        said = "".join([mail.subject, mail.body, html_of(mail), files.replace("\r\n ", "")])
        assert "spam" not in said.replace("stranger@example.net", "").lower()
        assert mail.body.startswith("Hello,\n")
    assert "Staff cancelled 10 dates of your series" in mails[-1].body


def test_beyond_the_limit_its_dates_are_in_the_one_mail_for_others(
    alice: User, room: Resource, lab: Resource, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, lab)
    for number in range(60):
        # Of sixty bookings: one alone has a lower limit.
        make_sent(booking, number)
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    lifecycle.cancel(dates_of(made)[1], act=act(alice))
    assert [mail.to[0] for mail in sent(mailoutbox)] == ["staff@example.org"] * 2
    later = Notification.objects.get(kind="bookings_in_one")
    assert later.facts["messages"] == 2
    assert [each["booking"]["id"] for each in later.facts["bookings"]] == [each.pk for each in dates_of(made)]
    (mail,) = sent(mailoutbox, now=later.due_at)
    assert mail.subject == "2 more messages about your bookings"
    assert mail.body.count("Blue room, confirmed") == 2
    assert mail.body.count("Blue room, cancelled") == 1
    assert len(mail.attachments) == 3


def make_sent(booking: Booking, number: int) -> None:
    """A mail to the owner of a booking that was sent a while ago, about another booking."""
    row = messages.new_message(messages.Kind.BOOKING_CHANGED, now=timezone.now(), to=booking.user.email)
    row.user, row.state, row.done_at, row.booking_id = booking.user, "sent", timezone.now(), 10_000 + number
    row.save()


def test_what_comes_after_a_series_that_is_told_later_is_told_later_too(
    alice: User, room: Resource, mailoutbox: Sent
) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    hand_on()
    row = Notification.objects.get(user=alice)
    later = tell_later(row, alice, due_at=timezone.now() + timedelta(hours=1), now=timezone.now())
    row.delete()
    lifecycle.change_notes(made, notes="New", act=act(alice))
    assert [mail.to[0] for mail in sent(mailoutbox)] == ["staff@example.org"] * 2
    assert Notification.objects.get(pk=later).facts["messages"] == 2


def test_a_series_counts_as_one_mail(alice: User, room: Resource, lab: Resource, mailoutbox: Sent) -> None:
    booking = make_booking(alice, lab)
    for number in range(58):
        make_sent(booking, number)
    made = book_series(alice, room).series
    lifecycle.change_notes(made, notes="New", act=act(alice))
    lifecycle.change_notes(made, notes="Newer", act=act(alice))
    assert [mail.to[0] for mail in sent(mailoutbox)].count("alice@example.org") == 2
    later = Notification.objects.get(kind="bookings_in_one")
    assert (later.facts["messages"], later.facts["more"], len(later.facts["bookings"])) == (1, 0, 10)


def test_more_dates_than_the_one_mail_names_count_as_one_message(alice: User, room: Resource) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=366")
    hand_on()
    facts = with_message(dict(NOTHING), Notification.objects.get(user=alice))
    assert (facts["messages"], facts["more"], len(facts["bookings"])) == (1, 1, MAX_BOOKINGS)


# --- Later ------------------------------------------------------------------------------------------------------------


def test_staff_are_told_without_a_name_once_the_account_is_gone(alice: User, room: Resource, mailoutbox: Sent) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=3", notes="Alice's own words")
    alice.delete()
    first, *_ = sent(mailoutbox)
    assert first.subject == "Booked 3 dates: Blue room, every day, 3 times (a deleted account)"
    assert "alice" not in first.body.lower()
    assert len(listed(first, "Booked")) == 3


def test_dates_that_the_record_has_no_more_are_left_out(alice: User, room: Resource, mailoutbox: Sent) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=3")
    hand_on()
    with connection.cursor() as cursor:
        rows = f"DELETE FROM {BookingEvent._meta.db_table} WHERE series_act_id IS NOT NULL"
        for statement in without_triggers([rows]):
            cursor.execute(statement)
    mail = to_owner(mailoutbox)
    assert mail.subject == "Booked 3 dates: Blue room, every day, 3 times"
    assert DAILY in mail.body
    assert "The list of its dates is not kept any more." in mail.body
    assert mail.attachments == []


def test_each_date_has_its_reminder(alice: User, room: Resource, mailoutbox: Sent) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    sent(mailoutbox)
    for booking in dates_of(made)[:2]:
        (mail,) = sent(mailoutbox, now=booking.start_time - timedelta(minutes=30))
        assert mail.subject == f"Reminder: Blue room, {booking.start_time:%Y-%m-%d} 10:00 UTC"


def test_a_later_act_on_one_date_is_told_after_the_series(alice: User, room: Resource, mailoutbox: Sent) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    lifecycle.cancel(dates_of(made)[2], act=act(alice))
    subjects = [mail.subject.partition(":")[0] for mail in sent(mailoutbox) if mail.to == ["alice@example.org"]]
    assert subjects == ["Booked 3 dates", "Cancelled"]


def test_two_processes_that_hand_on_at_once_tell_of_the_series_first(alice: User, room: Resource) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=30").series
    lone = [*dates_of(made)[:2], *dates_of(made)[-2:]]
    for booking in lone:
        lifecycle.cancel(booking, act=act(alice))
    in_parallel([hand_on] * 2)
    hand_on()
    told = list(Notification.objects.filter(user=alice).order_by("pk").values_list("kind", "booking_id"))
    assert told[0] == ("booking_created", None)
    assert set(told[1:]) == {("booking_cancelled", booking.pk) for booking in lone}
    assert len(told) == 5


def test_the_page_of_a_message_tells_an_act_on_a_series_in_words(
    admin_pages: Client, alice: User, room: Resource
) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=3", notes="Stand-up")
    hand_on()
    row = Notification.objects.get(user=alice)
    page = admin_pages.get(f"/admin/core/notification/{row.pk}/change/").content.decode()
    assert "By alice" in page
    assert f"After: Series {only_series().pk}, Blue room, every day, 3 times, 10:00 to 11:00 UTC, alice" in page
    assert "Notes after: Stand-up" in page


def test_the_statements_do_not_grow_with_the_dates(alice: User, room: Resource, lab: Resource) -> None:
    preferences.change(alice, known_address=alice.email)
    numbers = []
    for resource, count in ((room, 3), (lab, 19)):
        book_series(alice, resource, f"FREQ=DAILY;COUNT={count}")
        with CaptureQueriesContext(connection) as captured:
            deliver()
        # The relay marks a place in its transaction for each row of the record.
        numbers.append(len([each for each in captured if "SAVEPOINT" not in each["sql"]]))
    assert numbers[0] == numbers[1]
