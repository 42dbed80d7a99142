"""What the people read whose bookings a closure cancels."""

from datetime import time

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from core import lifecycle
from core.choices import QuotaKind
from core.models import Booking, OpeningHours, Quota, Resource
from core.tests.support.acts import act
from core.tests.support.closures import CANCEL, make_closure
from core.tests.support.factories import at, make_booking, make_resource
from core.tests.support.mailing import deliver

pytestmark = pytest.mark.django_db

Sent = list[EmailMultiAlternatives]
DAY = f"{at(0):%Y-%m-%d}"


@pytest.fixture(autouse=True)
def _one_address_of_staff(settings: Settings) -> None:
    settings.TO_EMAIL = ["staff@example.org"]


def html_of(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0].content)


def test_the_owner_reads_why_and_what_else_is_free(
    admin: User, alice: User, room: Resource, lab: Resource, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    make_closure(admin, room, on_conflict=CANCEL, reason="New floor")
    deliver()
    to_owner, to_staff = mailoutbox
    assert to_owner.subject == f"Cancelled: Blue room, {DAY} 10:00 UTC"
    assert (
        to_owner.body
        == f"""Hello alice,

admin (staff) cancelled your booking of Blue room. The resource is closed at that time.

Reason:
> New floor

What is free instead:

Blue room
    {DAY} 17:00 UTC to {DAY} 18:00 UTC
Blue room
    {DAY} 08:00 UTC to {DAY} 09:00 UTC
Lab
    {DAY} 10:00 UTC to {DAY} 11:00 UTC

The booking:

Resource: Blue room
Start:    {DAY} 10:00 UTC
End:      {DAY} 11:00 UTC
Status:   cancelled
Booking:  no. {booking.pk}

You get this message because the booking is yours.
https://app.example.org
"""
    )
    for line in ("What is free instead", f"{DAY} 17:00 UTC to {DAY} 18:00 UTC", "<strong>Lab</strong>"):
        assert line in html_of(to_owner)
    assert "The resource is closed at that time." in to_staff.body
    assert "New floor" in to_staff.body
    assert "instead" not in to_staff.body + html_of(to_staff)


def test_each_booking_has_one_mail_and_the_closure_itself_has_none(
    admin: User, alice: User, bob: User, room: Resource, lab: Resource, mailoutbox: Sent
) -> None:
    make_booking(alice, room)
    make_booking(bob, lab)
    make_closure(admin, room, lab, make_resource("Desk"), on_conflict=CANCEL)
    deliver()
    assert sorted(mail.to[0] for mail in mailoutbox) == [
        "alice@example.org",
        "bob@example.org",
        "staff@example.org",
        "staff@example.org",
    ]
    deliver()
    assert len(mailoutbox) == 4


def test_a_booking_that_staff_cancel_alone_suggests_nothing(
    admin: User, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    lifecycle.cancel(make_booking(alice, room), act=act(admin))
    deliver()
    assert "instead" not in mailoutbox[0].body
    assert "The slot is free again." in mailoutbox[1].body


def test_a_mail_after_the_end_of_the_resource_suggests_nothing(
    admin: User, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    make_booking(alice, room)
    make_closure(admin, room, on_conflict=CANCEL)
    Booking.taken.all().delete()
    lifecycle.delete_resource(room)
    deliver()
    assert "instead" not in mailoutbox[0].body


def test_the_suggestions_keep_the_rules_of_the_resource_and_of_the_person(
    admin: User, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    for weekday in range(1, 8):
        OpeningHours.objects.create(resource=room, weekday=weekday, opens=time(10), closes=time(12))
    Quota.objects.create(resource=room, kind=QuotaKind.ACTIVE, limit=1)
    Resource.objects.filter(pk=room.pk).update(has_terms=True)
    make_booking(alice, room)
    make_closure(admin, room, on_conflict=CANCEL)
    deliver()
    next_day = f"{at(0, day=2):%Y-%m-%d}"
    assert f"Blue room\n    {next_day} 10:00 UTC to {next_day} 11:00 UTC" in mailoutbox[0].body
