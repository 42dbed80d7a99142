"""GET and PATCH /api/profile/preferences/, and what follows from them."""

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from core.models import NotificationPreferences, Resource
from core.tests.support.bodies import NO_OBJECTS
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_pending_booking
from core.tests.support.mailing import deliver

Sent = list[EmailMultiAlternatives]

URL = "/api/profile/preferences/"
DEFAULTS = {
    "time_zone": "UTC",
    "booking_created": True,
    "booking_changed": True,
    "booking_confirmed": True,
    "booking_rejected": True,
    "booking_cancelled": True,
    "reminder_minutes": 60,
    "email_confirmed": True,
}


def test_without_any_stored_the_defaults_are_shown_and_nothing_is_written(
    as_alice: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        answer = as_alice.get(URL)
    assert (answer.status_code, answer.json()) == (200, DEFAULTS)
    assert NotificationPreferences.objects.count() == 0


def test_the_zone_that_nobody_chose_follows_the_house(
    as_alice: APIClient, alice: User, room: Resource, settings: Settings
) -> None:
    for house in ("Europe/Berlin", "Asia/Tokyo"):
        settings.HOUSE_TIME_ZONE = house
        assert as_alice.get(URL).json() == DEFAULTS | {"time_zone": house}
        assert as_alice.patch(URL, {"booking_changed": True}).json() == DEFAULTS | {"time_zone": house}
    assert NotificationPreferences.objects.get().time_zone is None


@pytest.mark.django_db(transaction=True)
def test_the_upgrade_takes_the_former_default_for_no_choice(alice: User, bob: User) -> None:
    call_command("migrate", "core", "0018", verbosity=0)
    try:
        for user, zone in ((alice, "UTC"), (bob, "Asia/Tokyo")):
            NotificationPreferences.objects.create(user=user, time_zone=zone)
    finally:
        call_command("migrate", verbosity=0)
    assert dict(NotificationPreferences.objects.values_list("user__username", "time_zone")) == {
        "alice": None,
        "bob": "Asia/Tokyo",
    }


CHANGES = {
    "time zone": {"time_zone": "Europe/Berlin"},
    "an old name": {"time_zone": "US/Eastern"},
    "no message": {"booking_created": False, "booking_cancelled": False},
    "no reminder": {"reminder_minutes": None},
    "a minute before": {"reminder_minutes": 1},
    "a week before": {"reminder_minutes": 10_080},
    "nothing": {},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_named_changes_and_the_rest_stays(change: dict, as_alice: APIClient, as_bob: APIClient) -> None:
    answer = as_alice.patch(URL, change)
    assert (answer.status_code, answer.json()) == (200, DEFAULTS | change)
    assert as_alice.get(URL).json() == DEFAULTS | change
    assert as_bob.get(URL).json() == DEFAULTS
    assert as_alice.patch(URL, {"booking_changed": False}).json() == DEFAULTS | change | {"booking_changed": False}


REFUSALS = {
    "no zone": ({"time_zone": "Mars/Olympus"}, "time_zone"),
    "an offset": ({"time_zone": "+02:00"}, "time_zone"),
    "another case": ({"time_zone": "europe/berlin"}, "time_zone"),
    "a path": ({"time_zone": "../../etc/passwd"}, "time_zone"),
    "NUL": ({"time_zone": "UTC\0"}, "time_zone"),
    "empty": ({"time_zone": ""}, "time_zone"),
    "null": ({"time_zone": None}, "time_zone"),
    "a number": ({"time_zone": 7}, "time_zone"),
    "very long": ({"time_zone": "U" * 10_000}, "time_zone"),
    "zero minutes": ({"reminder_minutes": 0}, "reminder_minutes"),
    "negative": ({"reminder_minutes": -1}, "reminder_minutes"),
    "more than a week": ({"reminder_minutes": 10_081}, "reminder_minutes"),
    "words": ({"reminder_minutes": "soon"}, "reminder_minutes"),
    "no boolean": ({"booking_created": "perhaps"}, "booking_created"),
    "null for a boolean": ({"booking_created": None}, "booking_created"),
}


@pytest.mark.parametrize(("body", "field"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_is_refused_and_nothing_changes(body: dict, field: str, as_alice: APIClient) -> None:
    answer = as_alice.patch(URL, {"booking_changed": False, **body})
    assert_flat_error(answer, 400, field=field)
    assert as_alice.get(URL).json() == DEFAULTS


@pytest.mark.parametrize("content", NO_OBJECTS, ids=repr)
def test_what_is_no_object_is_refused(content: object, as_alice: APIClient) -> None:
    answer = as_alice.generic("PATCH", URL, content, content_type="application/json")
    assert_flat_error(answer, 400)


REMEMBERED = dict.fromkeys(("refused_address", "known_address", "unconfirmed_address"), "alice@example.org")


def test_what_the_system_remembers_can_neither_be_seen_nor_set(as_alice: APIClient, alice: User) -> None:
    for name, value in (REMEMBERED | {"user": 7}).items():
        assert_flat_error(as_alice.patch(URL, {name: value}), 400, field=name)
    assert as_alice.patch(URL, {"email_confirmed": False}).json() == DEFAULTS
    stored = NotificationPreferences.objects.get()
    assert stored.user == alice
    assert {name: getattr(stored, name) for name in REMEMBERED} == dict.fromkeys(REMEMBERED, "")


@pytest.mark.parametrize("method", ["get", "patch"])
def test_nobody_has_any_without_signing_in(method: str, anonymous: APIClient) -> None:
    assert_flat_error(getattr(anonymous, method)(URL), 401, code="not_authenticated")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused(method: str, as_alice: APIClient) -> None:
    assert_flat_error(getattr(as_alice, method)(URL), 405)


def test_preferences_go_with_the_account(as_alice: APIClient, alice: User) -> None:
    as_alice.patch(URL, {"booking_changed": False})
    alice.delete()
    assert NotificationPreferences.objects.count() == 0


# --- What follows -----------------------------------------------------------------------------------------------------


def test_what_a_user_does_not_want_is_not_sent_and_the_rest_is(
    as_alice: APIClient, as_admin: APIClient, alice: User, lab: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    as_alice.patch(URL, {"booking_created": False, "booking_rejected": False})
    first = as_alice.post("/api/bookings/", booking_body(lab)).json()["id"]
    as_admin.patch(f"/api/bookings/{first}/", {"status": "confirmed"})
    as_admin.patch(f"/api/bookings/{first}/", {"status": "rejected"})
    deliver()
    told = {
        address: [m.subject.split(":")[0] for m in mailoutbox if m.to == [address]]
        for m in mailoutbox
        for address in m.to
    }
    assert told == {
        "alice@example.org": ["Confirmed"],
        "staff@example.org": ["Waiting for approval", "Confirmed", "Rejected"],
    }


ZONES = {
    "ahead": ("Asia/Tokyo", "19:00 JST", "20:00 JST"),
    "behind": ("America/Sao_Paulo", "07:00 UTC-03", "08:00 UTC-03"),
    "half an hour": ("Asia/Kolkata", "15:30 IST", "16:30 IST"),
}


@pytest.mark.parametrize(("zone", "start", "end"), ZONES.values(), ids=ZONES)
def test_times_are_in_the_zone_of_each_receiver_with_its_name(
    zone: str,
    start: str,
    end: str,
    as_alice: APIClient,
    as_admin: APIClient,
    room: Resource,
    mailoutbox: Sent,
    settings: Settings,
) -> None:
    settings.TO_EMAIL = ["admin@example.org", "staff@example.org"]
    as_alice.patch(URL, {"time_zone": zone})
    as_admin.patch(URL, {"time_zone": "Asia/Kathmandu"})
    as_alice.post("/api/bookings/", booking_body(room))
    deliver()
    mine, of_admin, of_staff = mailoutbox
    day = f"{at(10):%Y-%m-%d}"
    assert mine.subject == f"Booked: Blue room, {day} {start}"
    assert f"Start:    {day} {start}\nEnd:      {day} {end}\nZone:     {zone}\n" in mine.body
    assert of_admin.subject == f"Booked: Blue room, {day} UTC+0545 (alice)".replace("UTC", "15:45 UTC")
    assert of_staff.subject == f"Booked: Blue room, {day} 10:00 UTC (alice)"
    assert "Zone:" not in of_staff.body


def test_what_changed_is_told_in_that_zone_too(
    as_alice: APIClient, as_admin: APIClient, alice: User, lab: Resource, mailoutbox: Sent
) -> None:
    booking = make_pending_booking(alice, lab)
    as_alice.patch(URL, {"time_zone": "Asia/Tokyo"})
    as_admin.patch(f"/api/bookings/{booking.pk}/", {"end_time": at(12).isoformat()})
    deliver()
    day = f"{at(10):%Y-%m-%d}"
    assert f"End:      from {day} 20:00 JST\n          to {day} 21:00 JST\n" in mailoutbox[0].body


def test_a_list_of_freed_slots_is_in_the_zone_of_its_reader(
    as_admin: APIClient, alice: User, room: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.TO_EMAIL = ["admin@example.org"]
    as_admin.patch(URL, {"time_zone": "Asia/Tokyo"})
    make_booking(alice, room)
    alice.delete()
    deliver()
    day = f"{at(10):%Y-%m-%d}"
    assert mailoutbox[0].subject == "1 slot free again: the account alice was deleted"
    assert f"Blue room\n    {day} 19:00 JST to {day} 20:00 JST\n\nTimes in Asia/Tokyo.\n" in mailoutbox[0].body


@pytest.mark.parametrize("stored", [None, {}, {"time_zone": "Europe/Atlantis"}], ids=["no row", "none", "unknown"])
def test_without_a_zone_of_their_own_users_and_staff_read_times_in_that_of_the_house(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent, settings: Settings, stored: dict | None
) -> None:
    settings.HOUSE_TIME_ZONE, settings.TO_EMAIL = "Asia/Tokyo", ["staff@example.org"]
    if stored is not None:
        NotificationPreferences.objects.create(user=alice, **stored)
    as_alice.post("/api/bookings/", booking_body(room))
    deliver()
    assert [(*mail.to, mail.subject.partition(f"{at(10):%Y-%m-%d} ")[2]) for mail in mailoutbox] == [
        ("alice@example.org", "19:00 JST"),
        ("staff@example.org", "19:00 JST (alice)"),
    ]


def test_a_zone_that_was_chosen_wins_over_the_one_of_the_house(
    as_alice: APIClient, room: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
    assert as_alice.patch(URL, {"time_zone": "UTC"}).json()["time_zone"] == "UTC"
    as_alice.post("/api/bookings/", booking_body(room))
    deliver()
    assert mailoutbox[0].subject.endswith("10:00 UTC")
