"""Reasons for a new status, and the notes of staff, over the API."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.notifications import preferences
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_pending_booking,
    make_rejected_booking,
    text,
)
from core.tests.support.mailing import deliver
from core.tests.support.records import recorded

URL = "/api/bookings/"
REASON = "The projector is broken.\nSorry!"
Sent = list[EmailMultiAlternatives]


def url(booking: Booking) -> str:
    return f"{URL}{booking.pk}/"


# --- Reasons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["patch", "put"])
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_new_status_may_have_a_reason(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, method: str, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    sent = {**(booking_body(room) if method == "put" else {}), "status": "cancelled", "reason": f"  {REASON} "}
    answer = getattr(request.getfixturevalue(client), method)(url(booking), sent)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert "reason" not in answer.json()
    assert [row.reason for row in recorded()] == [REASON]
    deliver()
    assert "\nReason:\n> The projector is broken.\n> Sorry!\n" in mailoutbox[0].body


@pytest.mark.parametrize("none", [{}, {"reason": ""}, {"reason": None}, {"reason": "  "}], ids=str)
def test_no_reason_is_needed(as_admin: APIClient, alice: User, lab: Resource, none: dict, mailoutbox: Sent) -> None:
    booking = make_pending_booking(alice, lab)
    assert as_admin.patch(url(booking), {"status": "rejected", **none}).status_code == 200
    deliver()
    assert "Reason" not in mailoutbox[0].body


@pytest.mark.parametrize(
    "sent",
    [{}, {"notes": "New"}, {"status": "confirmed"}, {"start_time": text(at(9))}],
    ids=["alone", "with notes", "with the status as it is", "with a move"],
)
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_reason_without_a_new_status_is_refused(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, sent: dict
) -> None:
    booking = make_booking(alice, room)
    answer = request.getfixturevalue(client).patch(url(booking), {**sent, "reason": REASON})
    assert_flat_error(answer, 400, "reason_without_status", "reason")
    assert recorded() == []


def test_a_new_booking_has_no_reason(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post(URL, {**booking_body(room), "reason": REASON})
    assert_flat_error(answer, 400, "reason_without_status", "reason")
    assert not Booking.objects.exists()


def test_a_reason_is_at_most_500_characters_long(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    answer = as_alice.patch(url(booking), {"status": "cancelled", "reason": "x" * 501})
    assert_flat_error(answer, 400, "invalid", "reason")
    assert as_alice.patch(url(booking), {"status": "cancelled", "reason": "x" * 500}).status_code == 200


def test_the_dry_run_asks_for_the_reason_as_well(as_admin: APIClient, alice: User, lab: Resource) -> None:
    Resource.objects.filter(pk=lab.pk).update(reason_required=True)
    booking = make_pending_booking(alice, lab)
    sent = {"id": booking.pk, "status": "rejected"}
    assert as_admin.post(f"{URL}check/", sent).json()["code"] == "reason_required"
    assert as_admin.post(f"{URL}check/", {**sent, "reason": REASON}).json() == {"ok": True}


def test_the_reader_of_an_unconfirmed_address_gets_no_reason(
    as_admin: APIClient, alice: User, lab: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://booking.example.org"
    preferences.change(alice, unconfirmed_address=alice.email)
    as_admin.patch(url(make_pending_booking(alice, lab)), {"status": "rejected", "reason": REASON})
    deliver()
    assert "projector" not in mailoutbox[0].body + str(mailoutbox[0].alternatives)


# --- Resources that require a reason ----------------------------------------------------------------------------------


@pytest.fixture
def strict(lab: Resource) -> Resource:
    """A lab whose bookings are rejected with a reason."""
    lab.reason_required = True
    lab.save()
    return lab


def test_staff_reject_with_a_reason_where_one_is_required(as_admin: APIClient, alice: User, strict: Resource) -> None:
    booking = make_pending_booking(alice, strict)
    assert_flat_error(as_admin.patch(url(booking), {"status": "rejected"}), 400, "reason_required", "reason")
    assert Booking.objects.get().status == "pending"
    assert as_admin.patch(url(booking), {"status": "rejected", "reason": "No."}).status_code == 200


@pytest.mark.parametrize("status", ["confirmed", "cancelled"])
def test_any_other_decision_needs_no_reason(as_admin: APIClient, alice: User, strict: Resource, status: str) -> None:
    assert as_admin.patch(url(make_pending_booking(alice, strict)), {"status": status}).status_code == 200


def test_what_was_rejected_already_needs_no_reason(as_admin: APIClient, alice: User, strict: Resource) -> None:
    booking = make_rejected_booking(alice, strict)
    assert as_admin.patch(url(booking), {"status": "rejected", "notes": "For the file"}).status_code == 200


def test_staff_say_for_which_resources(as_admin: APIClient, as_alice: APIClient, anonymous: APIClient) -> None:
    made = as_admin.post("/api/resources/", {"name": "Lab", "reason_required": True})
    path = f"/api/resources/{made.json()['id']}/"
    assert "reason_required" not in made.json()
    assert "reason_required" not in anonymous.get(path).json()
    assert anonymous.get(f"{path}?include=details").json()["reason_required"] is True
    assert anonymous.get("/api/resources/?include=details").json()[0]["reason_required"] is True
    both = anonymous.get(f"{path}?include=details&include=next_free").json()
    assert {"reason_required", "next_free"} <= set(both)
    as_admin.put(path, {"name": "Lab", "capacity": 2})
    assert Resource.objects.get().reason_required is True
    as_admin.patch(path, {"reason_required": False})
    assert Resource.objects.get().reason_required is False
    assert as_alice.patch(path, {"reason_required": True}).status_code == 403
    assert_flat_error(anonymous.get(f"{path}?include=nothing"), 400, "invalid", "include")


# --- Notes of staff ---------------------------------------------------------------------------------------------------

NOTE = "Comes late each time."


def test_staff_write_and_read_a_note(as_admin: APIClient, room: Resource) -> None:
    made = as_admin.post(URL, {**booking_body(room), "staff_note": NOTE})
    path = f"{URL}{made.json()['id']}/"
    assert "staff_note" not in made.json()
    assert "staff_note" not in as_admin.get(path).json()
    assert as_admin.get(f"{path}?include=staff_note").json()["staff_note"] == NOTE
    assert as_admin.get(f"{URL}?include=staff_note").json()[0]["staff_note"] == NOTE
    assert as_admin.patch(path, {"staff_note": "None of it"}).status_code == 200
    assert Booking.objects.get().staff_note == "None of it"
    assert_flat_error(as_admin.patch(path, {"staff_note": "x" * 5_001}), 400, "invalid", "staff_note")


def test_from_others_a_note_is_passed_over(as_alice: APIClient, alice: User, room: Resource) -> None:
    made = as_alice.post(URL, {**booking_body(room), "staff_note": NOTE})
    assert made.status_code == 201
    assert as_alice.patch(f"{URL}{made.json()['id']}/", {"staff_note": NOTE, "notes": "Tea"}).status_code == 200
    assert Booking.objects.get().staff_note == ""


@pytest.mark.parametrize("path", [URL, f"{URL}{{}}/"])
def test_others_cannot_ask_for_the_note(as_alice: APIClient, alice: User, room: Resource, path: str) -> None:
    booking = make_booking(alice, room)
    assert_flat_error(as_alice.get(f"{path.format(booking.pk)}?include=staff_note"), 400, "invalid", "include")


def test_a_form_of_the_browsable_page_leaves_the_note_alone(admin_pages: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    Booking.objects.update(staff_note=NOTE)
    form = {**booking_body(room), "notes": "Tea", "status": "confirmed", "reason": "", "staff_note": ""}
    answer = admin_pages.put(
        url(booking), urlencode(form), "application/x-www-form-urlencoded", HTTP_ACCEPT="text/html"
    )
    assert answer.status_code == 200
    assert (Booking.objects.get().notes, Booking.objects.get().staff_note) == ("Tea", NOTE)


def everything_alice_gets(as_alice: APIClient, booking: Booking, mailoutbox: Sent) -> str:
    feed = as_alice.post("/api/calendar-feeds/", {}).json()["url"]
    answers = [
        as_alice.get(url(booking)),
        as_alice.get(URL),
        as_alice.get(f"{url(booking)}calendar.ics"),
        as_alice.get(feed),
        as_alice.patch(url(booking), {"notes": "Tea"}),
        as_alice.patch(url(booking), {"status": "cancelled"}),
    ]
    assert all(answer.status_code == 200 for answer in answers)
    deliver()
    mails = "".join(str(mail.message()) for mail in mailoutbox)
    return mails + "".join(answer.content.decode() for answer in answers)


def test_nothing_that_its_owner_gets_has_the_note(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    as_admin.patch(url(booking), {"staff_note": NOTE, "start_time": text(at(9))})
    assert NOTE not in everything_alice_gets(as_alice, booking, mailoutbox)
    assert len(mailoutbox) == 3


def test_a_new_note_is_told_to_nobody_and_is_no_new_version_for_the_owner(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    before = as_alice.get(url(booking))
    assert as_admin.patch(url(booking), {"staff_note": NOTE}).status_code == 200
    after = as_alice.get(url(booking))
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])
    deliver()
    assert mailoutbox == []
    (row,) = recorded()
    assert (row.kind, row.owner_words["after"]["staff_note"]) == ("booking.changed", NOTE)
