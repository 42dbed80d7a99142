"""A closure is no booking: nothing that lists, counts, tells or exports bookings has it."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Notification, Resource
from core.tests.support.closures import closed, make_closure
from core.tests.support.factories import at, make_booking
from core.tests.support.mailing import deliver
from core.tests.support.records import told


@pytest.fixture
def row(admin: User, room: Resource) -> Booking:
    """The row of a closure that runs and reaches over tomorrow."""
    make_closure(admin, room, start=at(0, day=-1), end=at(24))
    return Booking.taken.get()


def test_no_calendar_has_it(as_admin: APIClient, row: Booking, room: Resource) -> None:
    for body in ({}, {"resource": room.pk}):
        address = as_admin.post("/api/calendar-feeds/", body).json()["url"]
        assert "VEVENT" not in as_admin.get(urlsplit(address).path).content.decode()


def test_no_list_or_page_of_the_admin_has_it(root_pages: Client, row: Booking, room: Resource) -> None:
    page = root_pages.get("/admin/core/booking/?when=all")
    assert page.status_code == 200
    assert page.context["cl"].result_count == 0
    assert root_pages.get(f"/admin/core/booking/{row.pk}/change/").status_code == 302
    assert root_pages.get(f"/admin/core/booking/{row.pk}/delete/").status_code == 302
    form = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    root_pages.post("/admin/core/booking/", form)
    assert Booking.taken.count() == 1
    assert root_pages.get("/admin/core/resource/").status_code == 200
    assert root_pages.get(f"/admin/core/resource/{room.pk}/change/").status_code == 200


def test_no_message_tells_of_it(
    row: Booking, admin: User, room: Resource, settings: Settings, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    for hour in (0, 12, 23):
        deliver(now=at(hour, day=0))
    call_command("send_reminders", verbosity=0)
    call_command("expire_pending", verbosity=0)
    assert mailoutbox == []
    assert Notification.objects.count() == 0


def test_no_command_records_changes_or_deletes_it(row: Booking, room: Resource) -> None:
    before = closed(room)
    call_command("record_existing", verbosity=0)
    call_command("clean_up", verbosity=0)
    assert told() == []
    assert closed(room) == before


def test_the_relation_of_a_resource_counts_bookings_alone(alice: User, row: Booking, room: Resource) -> None:
    booking = make_booking(alice, room, at(9, day=3))
    assert list(room.bookings.all()) == [booking]
    assert str(row).endswith("UTC, closed")
