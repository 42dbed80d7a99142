"""What the messages about a booking say, to its owner and to staff."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings
from rest_framework.test import APIClient

from core import lifecycle
from core.lifecycle import Changes
from core.models import Booking, NotificationPreferences, Resource
from core.tests.support.acts import act
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_rejected_booking,
    text,
)
from core.tests.support.mailing import deliver

# The messages to the owner and to staff, in this order.
Sent = list[EmailMultiAlternatives]
Sending = Callable[[], AbstractContextManager[Sent]]


@pytest.fixture
def sending(
    db: None,
    settings: Settings,
    mailoutbox: Sent,
) -> Sending:
    """A block after which messages are delivered; one address of staff is told."""
    settings.TO_EMAIL = ["staff@example.org"]

    @contextmanager
    def block() -> Iterator[Sent]:
        yield mailoutbox
        deliver()

    return block


class Words(HTMLParser):
    """The text that a mail client shows of an HTML page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "background")]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def html_of(mail: EmailMultiAlternatives) -> str:
    (page,) = [alternative.content for alternative in mail.alternatives if alternative.mimetype == "text/html"]
    return page


def assert_says(mail: EmailMultiAlternatives, *, to: str, subject: str, body: str) -> None:
    """The message is exactly this, and its HTML says the same."""
    assert mail.to == [to]
    assert mail.subject == subject
    assert mail.body == body.lstrip("\n")
    shown = Words(html_of(mail))
    marks = {">", "-", "Notes:", "before:", "now:", "changed:", "booking:"}
    labels = {"Resource:", "Start:", "End:", "Status:", "For:", "Booking:"}
    expected = {word.removesuffix(":") if word in labels | marks else word for word in mail.body.split()} - marks
    assert expected <= set(shown.words), expected - set(shown.words)
    assert set(shown.links) == {"https://app.example.org"}
    assert not {"script", "img", "link", "style", "b"} & set(shown.tags)


DAY = f"{at(0):%Y-%m-%d}"
OWNER_REASON = "You get this message because the booking is yours.\nhttps://app.example.org\n"
STAFF_REASON = "This address is told of every change of a booking.\nhttps://app.example.org\n"


def facts(
    booking: Booking, status: str, *, resource: str = "Blue room", times: str = "10:00-11:00", staff: bool = False
) -> str:
    """The table of a booking of tomorrow."""
    start, end = times.split("-")
    return (
        "The booking:\n\n"
        f"Resource: {resource}\n"
        f"Start:    {DAY} {start} UTC\n"
        f"End:      {DAY} {end} UTC\n"
        f"Status:   {status}\n" + ("For:      alice <alice@example.org>\n" if staff else "") + f"Booking:  no. "
        f"{booking.pk}\n"
    )


# --- Created ----------------------------------------------------------------------------------------------------------


def test_a_confirmed_booking(sending: Sending, as_alice: APIClient, room: Resource) -> None:
    with sending() as sent:
        as_alice.post("/api/bookings/", booking_body(room, notes="For two\n\n  * tea, \ttabbed  \n"))
    booking = Booking.objects.get()
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Booked: Blue room, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

You booked Blue room. The booking is confirmed.

{facts(booking, "confirmed")}
Notes:
> For two
>
>   * tea, \ttabbed

{OWNER_REASON}""",
    )
    assert_says(
        to_staff,
        to="staff@example.org",
        subject=f"Booked: Blue room, {DAY} 10:00 UTC (alice)",
        body=f"""
alice booked Blue room. The booking is confirmed and waits for no approval.

{facts(booking, "confirmed", staff=True)}
Notes:
> For two
>
>   * tea, \ttabbed

{STAFF_REASON}""",
    )


def test_a_booking_that_waits_for_approval(sending: Sending, as_alice: APIClient, lab: Resource) -> None:
    with sending() as sent:
        as_alice.post("/api/bookings/", booking_body(lab))
    booking = Booking.objects.get()
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Waiting for approval: Lab, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

You booked Lab. The booking waits for approval: staff decide, and you will get a message then.

{facts(booking, "pending", resource="Lab")}
{OWNER_REASON}""",
    )
    assert_says(
        to_staff,
        to="staff@example.org",
        subject=f"Waiting for approval: Lab, {DAY} 10:00 UTC (alice)",
        body=f"""
alice booked Lab. The booking waits for approval.

{facts(booking, "pending", resource="Lab", staff=True)}
{STAFF_REASON}""",
    )


def test_a_pending_booking_where_no_approval_is_required(sending: Sending, as_alice: APIClient, room: Resource) -> None:
    with sending() as sent:
        as_alice.post("/api/bookings/", booking_body(room, status="pending"))
    assert len(sent) == 2
    for mail in sent:
        assert mail.subject.startswith("Booked, pending: Blue room")
        assert "You booked" in mail.body or "alice booked" in mail.body
        assert "The booking is pending and waits for no approval." in mail.body


def test_a_booking_that_staff_make_for_somebody(
    sending: Sending, as_admin: APIClient, alice: User, room: Resource
) -> None:
    with sending() as sent:
        as_admin.post("/api/bookings/", booking_body(room, user=alice.pk))
    to_owner, to_staff = sent
    assert to_owner.to == ["alice@example.org"]
    assert "Hello alice,\n\nadmin (staff) booked Blue room for you. The booking is confirmed.\n" in to_owner.body
    assert to_staff.to == ["staff@example.org"]
    assert "admin (staff) booked Blue room for alice. The booking is confirmed" in to_staff.body


def test_a_booking_recorded_as_over(sending: Sending, admin: User, alice: User, room: Resource) -> None:
    with sending() as sent:
        lifecycle.book(
            user=alice,
            resource_id=room.pk,
            start_time=at(10),
            end_time=at(11),
            status="rejected",
            act=act(admin),
            as_record=True,
        )
    to_owner, _ = sent
    assert to_owner.subject == f"Recorded as rejected: Blue room, {DAY} 10:00 UTC"
    assert "admin (staff) booked Blue room for you. The booking is rejected." in to_owner.body


# --- Changed ----------------------------------------------------------------------------------------------------------


def test_a_change_by_the_owner(sending: Sending, as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, notes="old")
    changed = {"start_time": text(at(12)), "end_time": text(at(13.5)), "notes": "new\n\n\n\nlines"}
    with sending() as sent:
        as_alice.patch(f"/api/bookings/{booking.pk}/", changed)
    changes = f"""
What changed:

Start:    from {DAY} 10:00 UTC
          to {DAY} 12:00 UTC
End:      from {DAY} 11:00 UTC
          to {DAY} 13:30 UTC
"""
    notes = """
Notes before:
> old

Notes now:
> new
>
>
>
> lines
"""
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Changed: Blue room, {DAY} 12:00 UTC",
        body=f"""
Hello alice,

You changed your booking of Blue room.
{changes}
{facts(booking, "confirmed", times="12:00-13:30")}{notes}
{OWNER_REASON}""",
    )
    assert_says(
        to_staff,
        to="staff@example.org",
        subject=f"Changed: Blue room, {DAY} 12:00 UTC (alice)",
        body=f"""
alice changed their booking of Blue room.
{changes}
{facts(booking, "confirmed", times="12:00-13:30", staff=True)}{notes}
{STAFF_REASON}""",
    )


def test_a_change_by_staff_names_them(
    sending: Sending, as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    booking = make_booking(alice, room)
    with sending() as sent:
        as_admin.patch(f"/api/bookings/{booking.pk}/", {"resource": lab.pk})
    to_owner, to_staff = sent
    assert "admin (staff) changed your booking of Lab.\n" in to_owner.body
    assert "What changed:\n\nResource: from Blue room\n          to Lab\n\nThe booking:" in to_owner.body
    assert to_staff.subject == f"Changed: Lab, {DAY} 10:00 UTC (alice)"
    assert "admin (staff) changed alice's booking of Lab.\n" in to_staff.body


def test_a_move_between_resources_of_one_name_is_still_a_change(
    sending: Sending, as_alice: APIClient, alice: User, room: Resource
) -> None:
    namesake = Resource.objects.create(name="Blue room", requires_approval=False)
    booking = make_booking(alice, room)
    with sending() as sent:
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"resource": namesake.pk})
    assert "Resource: from Blue room\n          to Blue room\n" in sent[0].body


def test_notes_that_are_taken_away(sending: Sending, as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, notes="old")
    with sending() as sent:
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"notes": ""})
    assert "\n\nNotes before:\n> old\n\nNotes now: none\n\n" in sent[0].body
    assert "What changed" not in sent[0].body


def test_seconds_and_their_fractions_are_told_only_where_there_are_any(
    sending: Sending, as_alice: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    moments = {"start_time": f"{DAY}T10:00:07Z", "end_time": f"{DAY}T11:00:00.250Z"}
    with sending() as sent:
        as_alice.patch(f"/api/bookings/{booking.pk}/", moments)
    assert f"Start:    from {DAY} 10:00 UTC\n          to {DAY} 10:00:07 UTC\n" in sent[0].body
    assert f"End:      from {DAY} 11:00 UTC\n          to {DAY} 11:00:00.25 UTC\n" in sent[0].body


# --- Status -----------------------------------------------------------------------------------------------------------


def test_a_confirmation(sending: Sending, as_admin: APIClient, alice: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    with sending() as sent:
        as_admin.patch(f"/api/bookings/{booking.pk}/", {"status": "confirmed"})
    changes = "What changed:\n\nStatus:   from pending\n          to confirmed\n"
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Confirmed: Lab, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

admin (staff) confirmed your booking of Lab.

{changes}
{facts(booking, "confirmed", resource="Lab")}
{OWNER_REASON}""",
    )
    assert_says(
        to_staff,
        to="staff@example.org",
        subject=f"Confirmed: Lab, {DAY} 10:00 UTC (alice)",
        body=f"""
admin (staff) confirmed alice's booking of Lab.

{changes}
{facts(booking, "confirmed", resource="Lab", staff=True)}
{STAFF_REASON}""",
    )


def make_confirmed_booking(user: User, resource: Resource) -> Booking:
    return make_booking(user, resource)


WAITS = " It waits for approval: staff decide, and you will get a message then."
STATUS_CHANGES = {
    "rejected": (make_pending_booking, "rejected", "Rejected", "admin (staff) rejected your booking of Lab."),
    "back_to_pending": (
        make_confirmed_booking,
        "pending",
        "Back to pending",
        f"admin (staff) put your booking of Lab back to pending.{WAITS}",
    ),
    "revived": (
        make_cancelled_booking,
        "pending",
        "Revived as pending",
        f"admin (staff) revived your booking of Lab.{WAITS}",
    ),
    "revived_and_confirmed": (
        make_rejected_booking,
        "confirmed",
        "Revived and confirmed",
        "admin (staff) revived and confirmed your booking of Lab.",
    ),
}


@pytest.mark.parametrize(("make", "status", "happened", "lead"), STATUS_CHANGES.values(), ids=STATUS_CHANGES)
def test_every_other_way_of_the_status(
    make: Callable[[User, Resource], Booking],
    status: str,
    happened: str,
    lead: str,
    sending: Sending,
    as_admin: APIClient,
    alice: User,
    lab: Resource,
) -> None:
    booking = make(alice, lab)
    before = booking.status
    with sending() as sent:
        as_admin.patch(f"/api/bookings/{booking.pk}/", {"status": status})
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"{happened}: Lab, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

{lead}

What changed:

Status:   from {before}
          to {status}

{facts(booking, status, resource="Lab")}
{OWNER_REASON}""",
    )
    assert to_staff.subject == f"{happened}: Lab, {DAY} 10:00 UTC (alice)"
    assert "alice's booking of Lab" in to_staff.body


def test_nobody_is_told_of_a_change_between_two_states_that_hold_nothing(
    sending: Sending, as_admin: APIClient, alice: User, lab: Resource
) -> None:
    with sending() as sent:
        for make, status in ((make_rejected_booking, "cancelled"), (make_cancelled_booking, "rejected")):
            booking = make(alice, lab)
            assert as_admin.patch(f"/api/bookings/{booking.pk}/", {"status": status}).status_code == 200
            as_admin.patch(f"/api/bookings/{booking.pk}/", {"notes": "For the file"})
    assert sent == []


def test_a_move_that_needs_approval_again_is_one_message(
    sending: Sending, as_alice: APIClient, alice: User, lab: Resource
) -> None:
    booking = make_booking(alice, lab)
    moved = {"start_time": text(at(12)), "end_time": text(at(13))}
    with sending() as sent:
        as_alice.patch(f"/api/bookings/{booking.pk}/", moved)
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Changed and back to pending: Lab, {DAY} 12:00 UTC",
        body=f"""
Hello alice,

You changed your booking of Lab, and it is now pending.{WAITS}

What changed:

Start:    from {DAY} 10:00 UTC
          to {DAY} 12:00 UTC
End:      from {DAY} 11:00 UTC
          to {DAY} 13:00 UTC
Status:   from confirmed
          to pending

{facts(booking, "pending", resource="Lab", times="12:00-13:00")}
{OWNER_REASON}""",
    )
    assert "alice changed their booking of Lab, and it is now pending. It waits for approval.\n" in to_staff.body


# --- Cancelled --------------------------------------------------------------------------------------------------------


def test_a_cancellation_by_the_owner(sending: Sending, as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    with sending() as sent:
        as_alice.delete(f"/api/bookings/{booking.pk}/")
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Cancelled: Blue room, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

You cancelled your booking of Blue room. The slot is free for others again.

{facts(booking, "cancelled")}
{OWNER_REASON}""",
    )
    assert_says(
        to_staff,
        to="staff@example.org",
        subject=f"Cancelled: Blue room, {DAY} 10:00 UTC (alice)",
        body=f"""
alice cancelled their booking of Blue room. The slot is free again.

{facts(booking, "cancelled", staff=True)}
{STAFF_REASON}""",
    )


@pytest.mark.parametrize("method", ["delete", "patch"])
def test_a_cancellation_by_staff_names_them(
    method: str, sending: Sending, as_admin: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    with sending() as sent:
        getattr(as_admin, method)(f"/api/bookings/{booking.pk}/", {"status": "cancelled"})
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Cancelled: Blue room, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

admin (staff) cancelled your booking of Blue room. It no longer stands; please ask staff if this surprises you.

{facts(booking, "cancelled")}
{OWNER_REASON}""",
    )
    assert "admin (staff) cancelled alice's booking of Blue room. The slot is free again.\n" in to_staff.body


def test_a_booking_that_expires(sending: Sending, alice: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    with sending() as sent:
        deliver(now=booking.start_time)
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Expired: Lab, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

Your booking of Lab expired: nobody confirmed it before its start. The slot is free for others again.

{facts(booking, "cancelled", resource="Lab")}
{OWNER_REASON}""",
    )
    assert_says(
        to_staff,
        to="staff@example.org",
        subject=f"Expired: Lab, {DAY} 10:00 UTC (alice)",
        body=f"""
alice's booking of Lab expired: nobody confirmed it before its start. The slot is free again.

{facts(booking, "cancelled", resource="Lab", staff=True)}
{STAFF_REASON}""",
    )


def test_a_booking_that_expires_is_silent_for_whoever_wants_no_mail_about_cancellations(
    sending: Sending, alice: User, lab: Resource
) -> None:
    NotificationPreferences.objects.create(user=alice, booking_cancelled=False)
    booking = make_pending_booking(alice, lab)
    with sending() as sent:
        deliver(now=booking.start_time)
    assert [mail.to for mail in sent] == [["staff@example.org"]]


def test_a_booking_whose_row_is_removed(sending: Sending, admin: User, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    with sending() as sent:
        lifecycle.remove(booking, act=act(admin))
    to_owner, to_staff = sent
    assert_says(
        to_owner,
        to="alice@example.org",
        subject=f"Cancelled and removed: Blue room, {DAY} 10:00 UTC",
        body=f"""
Hello alice,

admin (staff) cancelled your booking of Blue room and removed its record. It no longer stands; \
please ask staff if this surprises you.

{facts(booking, "cancelled")}
{OWNER_REASON}""",
    )
    assert "admin (staff) cancelled alice's booking of Blue room and removed its record." in to_staff.body


def test_a_cancellation_with_a_move_tells_the_slot_that_is_free_again(
    sending: Sending, as_admin: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    change = {"status": "cancelled", "start_time": text(at(8))}
    with sending() as sent:
        as_admin.patch(f"/api/bookings/{booking.pk}/", change)
    to_owner, _ = sent
    assert to_owner.subject == f"Cancelled: Blue room, {DAY} 10:00 UTC"
    assert f"Start:    from {DAY} 10:00 UTC\n          to {DAY} 08:00 UTC\n" in to_owner.body
    assert facts(booking, "cancelled") in to_owner.body


# --- Who hears --------------------------------------------------------------------------------------------------------


def test_an_owner_who_is_told_as_staff_too_gets_one_message(
    sending: Sending, settings: Settings, as_admin: APIClient, admin: User, room: Resource
) -> None:
    settings.TO_EMAIL = ["ADMIN@example.org", "staff@example.org", "Staff@example.org"]
    with sending() as sent:
        as_admin.post("/api/bookings/", booking_body(room))
    assert [mail.to for mail in sent] == [["admin@example.org"], ["staff@example.org"]]
    assert "You booked" in sent[0].body


def test_what_staff_are_to_hear_is_not_switched_off_by_whose_address_it_is(
    sending: Sending, settings: Settings, as_admin: APIClient, room: Resource
) -> None:
    settings.TO_EMAIL = ["admin@example.org"]
    as_admin.patch("/api/profile/preferences/", {"booking_created": False})
    with sending() as sent:
        as_admin.post("/api/bookings/", booking_body(room))
    assert [mail.to for mail in sent] == [["admin@example.org"]]


def test_nobody_silences_staff_by_registering_with_their_address(
    sending: Sending, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    settings.TO_EMAIL = ["alice@example.org"]
    as_alice.patch("/api/profile/preferences/", {"booking_created": False})
    with sending() as sent:
        as_alice.post("/api/bookings/", booking_body(room))
    assert [mail.to for mail in sent] == [["alice@example.org"]]
    assert "alice" in sent[0].subject


def test_nobody_but_the_owner_is_told_where_no_address_of_staff_is_set(
    sending: Sending, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    settings.TO_EMAIL = []
    with sending() as sent:
        as_alice.post("/api/bookings/", booking_body(room))
    assert [mail.to for mail in sent] == [["alice@example.org"]]


@pytest.mark.parametrize(
    "address", ["", "alice", "alice@", "a@example.org, b@example.org", "a@example.org\nBcc: b@c.d"]
)
def test_an_owner_without_a_valid_address_gets_none_and_the_booking_stands(
    address: str, sending: Sending, as_alice: APIClient, alice: User, room: Resource, caplog: pytest.LogCaptureFixture
) -> None:
    User.objects.filter(pk=alice.pk).update(email=address)
    with sending() as sent:
        assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert [mail.to for mail in sent] == [["staff@example.org"]]
    warnings = [record.getMessage() for record in caplog.records if record.name == "core.notifications.messages"]
    expected = [f"User {alice.pk} has no valid e-mail address; nothing is sent to them."]
    assert warnings == (expected if address else [])


def test_a_change_of_no_one_in_particular(sending: Sending, admin: User, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    with sending() as sent:
        lifecycle.cancel(booking, act=act(None))
    assert "The booking system cancelled your booking of Blue room." in sent[0].body


def test_no_link_is_shown_where_the_single_page_app_is_unknown(
    sending: Sending, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    settings.HOME_URL = ""
    with sending() as sent:
        as_alice.post("/api/bookings/", booking_body(room))
    assert sent[0].body.endswith("\n\nYou get this message because the booking is yours.\n")
    assert Words(html_of(sent[0])).links == []


@pytest.mark.parametrize(
    ("home", "page", "expected"),
    [
        pytest.param("https://here.example", True, "https://here.example/bookings/{}", id="the booking page"),
        pytest.param("https://app.example", True, "https://app.example", id="another app beside the page"),
        pytest.param("https://app.example", False, "https://app.example", id="another app"),
    ],
)
def test_the_link_leads_to_the_booking_where_its_address_is_known(
    sending: Sending, settings: Settings, as_alice: APIClient, room: Resource, home: str, page: bool, expected: str
) -> None:
    settings.HOME_URL, settings.PUBLIC_URL, settings.BOOKING_PAGE = home, "https://here.example", page
    with sending() as sent:
        number = as_alice.post("/api/bookings/", booking_body(room)).json()["id"]
    for mail in sent:
        assert expected.format(number) in mail.body.splitlines()
        assert expected.format(number) in Words(html_of(mail)).links


def test_the_link_of_a_removed_booking_leads_to_the_beginning(
    sending: Sending, settings: Settings, admin: User, alice: User, room: Resource
) -> None:
    settings.HOME_URL = settings.PUBLIC_URL = "https://here.example"
    settings.BOOKING_PAGE = True
    booking = make_booking(alice, room)
    with sending() as sent:
        lifecycle.remove(booking, act=act(admin))
    assert "https://here.example" in sent[0].body.splitlines()
    assert f"/bookings/{booking.pk}" not in sent[0].body


def test_a_change_for_a_whole_list_of_changes_is_one_message_each(
    sending: Sending, admin: User, alice: User, room: Resource
) -> None:
    bookings = [make_booking(alice, room, at(hour)) for hour in (10, 12)]
    with sending() as sent:
        for booking in bookings:
            lifecycle.change(booking, changes=Changes(notes="x"), act=act(admin))
    assert [mail.to[0] for mail in sent] == ["alice@example.org", "staff@example.org"] * 2
