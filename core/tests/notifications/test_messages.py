"""What is written to the outbox, and when."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core import lifecycle
from core.models import Booking, Notification, Resource
from core.notifications import messages
from core.notifications.kinds import Kind
from core.outbox import worker
from core.record.acts import Act
from core.record.facts import Event, event_of, facts_of
from core.record.kinds import Channel, EventKind
from core.record.writing import record
from core.tests.support.acts import act
from core.tests.support.factories import (
    PASSWORD,
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
    make_user,
    text,
)
from core.tests.support.mailing import deliver, hand_on

NEW_PASSWORD = "nine-green-kettles-7"


@pytest.fixture(autouse=True)
def _told_staff(settings: Settings) -> None:
    settings.TO_EMAIL = ["staff@example.org"]


def kinds() -> list[str]:
    hand_on()
    return list(Notification.objects.order_by("id").values_list("kind", flat=True))


def inserts(captured: CaptureQueriesContext) -> int:
    return sum("INSERT" in query["sql"] and "core_bookingevent" in query["sql"] for query in captured)


def test_each_change_writes_one_row_on_record_and_no_message(as_alice: APIClient, alice: User, room: Resource) -> None:
    calls: list[Callable[[], object]] = [
        lambda: as_alice.post("/api/bookings/", booking_body(room)),
        lambda: as_alice.patch(f"/api/bookings/{Booking.objects.get().pk}/", {"start_time": text(at(9))}),
        lambda: as_alice.delete(f"/api/bookings/{Booking.objects.get().pk}/"),
    ]
    for call in calls:
        with CaptureQueriesContext(connection) as captured:
            call()
        assert (inserts(captured), Notification.objects.count()) == (1, 0)
    assert kinds() == [
        *("booking_created", "booking_created"),
        *("booking_changed", "booking_changed"),
        *("booking_cancelled", "booking_cancelled"),
    ]


def test_a_row_names_its_receiver_and_is_due_at_once_for_a_day(
    as_alice: APIClient, alice: User, room: Resource
) -> None:
    before = timezone.now()
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    mine, staffs = Notification.objects.order_by("id")
    assert (mine.user, mine.to, mine.for_staff) == (alice, "alice@example.org", False)
    assert (staffs.user, staffs.to, staffs.for_staff) == (None, "staff@example.org", True)
    for row in (mine, staffs):
        assert (row.state, row.tries, row.booking_id) == ("waiting", 0, Booking.objects.get().pk)
        assert before <= row.created_at == row.due_at == row.retry_until - timedelta(days=1)


STATUS_KINDS = {
    "confirmed": (make_pending_booking, "confirmed", "booking_confirmed"),
    "rejected": (make_pending_booking, "rejected", "booking_rejected"),
    "cancelled": (make_pending_booking, "cancelled", "booking_cancelled"),
    "revived": (make_cancelled_booking, "pending", "booking_changed"),
    "back to pending": (make_booking, "pending", "booking_changed"),
}


@pytest.mark.parametrize(("make", "status", "kind"), STATUS_KINDS.values(), ids=STATUS_KINDS)
def test_a_new_status_has_a_kind_of_its_own_and_a_move_with_it_is_no_second_message(
    make: Callable, status: str, kind: str, as_admin: APIClient, alice: User, lab: Resource
) -> None:
    booking = make(alice, lab)
    as_admin.patch(f"/api/bookings/{booking.pk}/", {"status": status, "start_time": text(at(9))})
    assert kinds() == [kind, kind]


def test_what_is_taken_back_leaves_no_row(alice: User, room: Resource) -> None:
    def book_and_fail() -> None:
        with transaction.atomic():
            lifecycle.book(user=alice, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(alice))
            assert hand_on() == 1
            assert Notification.objects.count() == 2
            raise RuntimeError("What came later failed.")

    with pytest.raises(RuntimeError):
        book_and_fail()
    assert hand_on() == 0
    assert Notification.objects.count() == 0


def test_a_dry_run_leaves_no_row(as_alice: APIClient, room: Resource) -> None:
    assert as_alice.post("/api/bookings/check/", booking_body(room)).json() == {"ok": True}
    assert hand_on() == 0


def test_facts_bring_the_event_back_to_the_microsecond(alice: User, admin: User, room: Resource) -> None:
    before = make_booking(alice, room, at(10).replace(microsecond=1), notes="Ä\n<b>")
    before = Booking.objects.in_full().get(pk=before.pk)
    after = Booking.objects.in_full().get(pk=before.pk)
    after.start_time = at(9)
    told = [
        Event(EventKind.CREATED, None, before, alice, at(8)),
        Event(EventKind.CHANGED, before, after, admin, at(8).replace(microsecond=1), "Because ☂"),
        Event(EventKind.REMOVED, before, after, None, at(8)),
    ]
    for event in told:
        made = Act(by=event.by, now=event.at, channel=Channel.API, reason=event.reason)
        facts = facts_of(record(made, event.kind, before=event.before, after=event.after))
        row = messages.new_message(Kind.BOOKING_CHANGED, now=timezone.now(), to="a@example.org", facts=facts)
        row.save()
        again = event_of(Notification.objects.get(pk=row.pk).facts)
        assert again == event
        for name in ("before", "after"):
            old, new = getattr(event, name, None), getattr(again, name, None)
            if old is not None:
                assert {f.attname: getattr(new, f.attname) for f in Booking._meta.concrete_fields} == {
                    f.attname: getattr(old, f.attname) for f in Booking._meta.concrete_fields
                }
                assert (new.user.username, new.user.email, new.resource.name) == (
                    "alice",
                    "alice@example.org",
                    "Blue room",
                )


def test_facts_of_another_version_of_the_table_are_read(alice: User, room: Resource) -> None:
    facts = facts_of(record(act(alice, at(8)), EventKind.CREATED, after=make_booking(alice, room)))
    facts["after"]["booking"]["gone_since"] = 7
    del facts["after"]["booking"]["notes"]
    assert event_of(facts).after.notes == ""


# --- Passwords --------------------------------------------------------------------------------------------------------


def test_a_reset_writes_a_row_without_uid_and_token(anonymous: APIClient, alice: User) -> None:
    anonymous.post("/api/auth/users/reset_password/", {"email": "ALICE@example.org"})
    row = Notification.objects.get()
    assert (row.kind, row.user, row.to, row.facts) == ("password_reset", alice, "alice@example.org", {})


def test_a_reset_for_nobody_costs_the_same_statements(anonymous: APIClient, alice: User) -> None:
    costs = []
    for address in ("alice@example.org", "nobody@example.org"):
        with CaptureQueriesContext(connection) as captured:
            assert anonymous.post("/api/auth/users/reset_password/", {"email": address}).status_code == 204
        costs.append([query["sql"].split()[0] for query in captured])
    assert costs[0] == costs[1]
    unknown = Notification.objects.latest("id")
    assert (unknown.user, unknown.to, unknown.facts) == (None, "", {})


def by_api(client: APIClient, user: User) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert client.post("/api/auth/users/set_password/", body).status_code == 204


def by_command(client: APIClient, user: User) -> None:
    user.set_password(NEW_PASSWORD)
    user.save()


@pytest.mark.parametrize("change", [by_api, by_command])
def test_a_new_password_is_told_its_user_alone(change: Callable, as_alice: APIClient, alice: User) -> None:
    change(as_alice, alice)
    row = Notification.objects.get()
    assert (row.kind, row.user, row.to) == ("password_changed", alice, "alice@example.org")
    assert set(row.facts) == {"at"}


def test_a_new_password_by_a_superuser_is_told_too(root_pages: Client, alice: User) -> None:
    body = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert root_pages.post(f"/admin/auth/user/{alice.pk}/password/", body).status_code == 302
    assert kinds() == ["password_changed"]


def test_a_new_user_a_sign_in_and_a_change_of_the_name_are_no_new_password(anonymous: APIClient, alice: User) -> None:
    make_user("carla")
    assert anonymous.post("/api/auth/token/login/", {"username": "alice", "password": PASSWORD}).status_code == 200
    alice.first_name = "Alice"
    alice.save()
    assert Notification.objects.count() == 0


def test_a_password_hashed_anew_at_a_sign_in_is_no_new_one(
    anonymous: APIClient, alice: User, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    assert anonymous.post("/api/auth/token/login/", {"username": "alice", "password": PASSWORD}).status_code == 200
    alice.refresh_from_db()
    assert alice.password.startswith("pbkdf2")
    assert Notification.objects.count() == 0


# --- Accounts that go -------------------------------------------------------------------------------------------------


def test_a_deleted_account_is_one_list_of_what_becomes_free(
    as_alice: APIClient, alice: User, bob: User, room: Resource, lab: Resource
) -> None:
    later, sooner = make_booking(alice, room, at(12)), make_pending_booking(alice, lab, at(8))
    make_cancelled_booking(alice, room, at(14))
    make_ended_booking(alice, room)
    make_booking(bob, room, at(16))
    assert as_alice.delete("/api/auth/users/me/", {"current_password": PASSWORD}).status_code == 204
    row = Notification.objects.get()
    assert (row.kind, row.user, row.to) == ("slots_freed", None, "staff@example.org")
    assert [each["booking"]["id"] for each in row.facts["bookings"]] == [sooner.pk, later.pk]


def test_a_long_list_names_two_hundred_slots_and_counts_the_others(
    alice: User, room: Resource, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    starts = (at(0) + number * timedelta(minutes=5) for number in range(205))
    made = Booking.objects.bulk_create(
        Booking(user=alice, resource=room, start_time=start, end_time=start + timedelta(minutes=5)) for start in starts
    )
    alice.delete()
    facts = Notification.objects.get().facts
    assert [each["booking"]["id"] for each in facts["bookings"]] == [booking.pk for booking in made[:200]]
    assert facts["more"] == 5
    deliver()
    (mail,) = mailoutbox
    assert mail.subject.startswith("205 ")
    assert mail.body.count("Blue room") == 200
    assert "\nand 5 more.\n" in mail.body


def test_a_list_of_exactly_two_hundred_counts_no_others(alice: User, room: Resource) -> None:
    starts = (at(0) + number * timedelta(minutes=5) for number in range(200))
    Booking.objects.bulk_create(
        Booking(user=alice, resource=room, start_time=start, end_time=start + timedelta(minutes=5)) for start in starts
    )
    alice.delete()
    facts = Notification.objects.get().facts
    assert (len(facts["bookings"]), facts["more"]) == (200, 0)


def test_an_account_without_bookings_to_come_goes_quietly(alice: User, room: Resource) -> None:
    make_ended_booking(alice, room)
    alice.delete()
    assert Notification.objects.count() == 0


def test_messages_to_a_deleted_account_go_with_it_and_those_to_staff_stay(
    as_alice: APIClient, alice: User, room: Resource
) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    alice.delete()
    assert list(Notification.objects.values_list("kind", "to")) == [
        ("slots_freed", "staff@example.org"),
        ("booking_created", "staff@example.org"),
    ]


def test_an_act_is_told_to_staff_without_a_name_once_the_account_is_gone(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    as_alice.post("/api/bookings/", booking_body(room, notes="Alice's own words"))
    alice.delete()
    deliver()
    subjects = [mail.subject for mail in mailoutbox]
    assert [subject.partition(":")[0] for subject in subjects][0] == "Booked"
    assert "a deleted account" in mailoutbox[0].body
    assert "alice" not in mailoutbox[0].body.lower()


# --- No thread here ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_thread_starts_in_a_test_or_under_a_command(as_alice: APIClient, room: Resource) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    call_command("send_reminders")
    assert worker._thread is None


def test_old_messages_go_with_the_clean_up(
    as_alice: APIClient, room: Resource, capsys: pytest.CaptureFixture[str]
) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    now = timezone.now()
    old, young = Notification.objects.order_by("id")
    Notification.objects.filter(pk=old.pk).update(state="sent", done_at=now - timedelta(days=30))
    Notification.objects.filter(pk=young.pk).update(state="sent", done_at=now - timedelta(days=29))
    waiting = messages.new_message(Kind.SLOTS_FREED, now=now - timedelta(days=90), to="a@example.org")
    waiting.save()
    call_command("clean_up")
    assert "Messages: 1 deleted" in capsys.readouterr().out
    assert set(Notification.objects.all()) == {young, waiting}
