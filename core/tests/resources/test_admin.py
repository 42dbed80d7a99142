"""The admin of resources and profiles."""

import html
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client

from core.models import Booking, Resource, UserProfile
from core.tests.bookings.test_admin import errors_of, typed_anew
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_pending_booking
from core.tests.support.parallel import in_parallel

RESOURCES = "/admin/core/resource/"
PROFILES = "/admin/core/userprofile/"


class TestResources:
    def test_staff_add_one(self, admin_pages: Client) -> None:
        answer = admin_pages.post(f"{RESOURCES}add/", {"name": "Van", "capacity": "7", "requires_approval": "on"})
        van = Resource.objects.get()
        assert answer.status_code == 302
        assert (van.name, van.capacity, van.is_available, van.requires_approval) == ("Van", 7, False, True)

    def test_staff_take_one_out_of_service(self, admin_pages: Client, admin: User, room: Resource) -> None:
        admin_pages.post(f"{RESOURCES}{room.pk}/change/", {"name": "Blue room", "capacity": "1"})
        room.refresh_from_db()
        entry = LogEntry.objects.get()
        assert room.is_available is False
        assert (entry.user, entry.get_change_message()) == (admin, "Changed Is available.")

    def test_a_text_that_was_left_alone_stays_as_it_is(self, admin_pages: Client, room: Resource) -> None:
        name, description = " Blue\nroom", "First.\r\nSecond.\n "
        Resource.objects.update(name=name, description=description)
        sent = {"name": " Blueroom", "description": "First.\r\nSecond.\r\n ", "capacity": "2", "is_available": "on"}
        admin_pages.post(f"{RESOURCES}{room.pk}/change/", sent)
        room.refresh_from_db()
        assert (room.name, room.description, room.capacity) == (name, description, 2)
        assert LogEntry.objects.get().get_change_message() == "Changed Capacity."
        admin_pages.post(f"{RESOURCES}{room.pk}/change/", sent | {"name": " Green room ", "description": "A\r\nB"})
        room.refresh_from_db()
        assert (room.name, room.description) == ("Green room", "A\nB")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "n" * 256),
            ("name", "a\0b"),
            ("description", "d" * 10_001),
            ("description", "\0"),
            ("capacity", "0"),
            ("capacity", "-1"),
            ("capacity", "many"),
            ("capacity", "9" * 30),
            ("capacity", "9" * 5000),
            ("capacity", "NaN"),
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_garbage_is_a_form_error(self, admin_pages: Client, field: str, value: str) -> None:
        body = {"name": "Van", "capacity": "7", field: value}
        assert list(errors_of(admin_pages.post(f"{RESOURCES}add/", body))) == [field]
        assert not Resource.objects.exists()

    def test_the_page_says_how_many_still_wait_when_approval_is_switched_off(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        for hour in (10, 12):
            make_pending_booking(alice, lab, at(hour))
        make_pending_booking(alice, lab, at(10, day=-1))
        page, sent = f"{RESOURCES}{lab.pk}/change/", {"name": "Lab", "capacity": "1", "is_available": "on"}
        said = admin_pages.post(page, sent, follow=True).content.decode()
        assert ">2 bookings still wait for approval</a> of Lab." in said
        [link] = re.findall(r'href="(/admin/core/booking/[^"]*)">2 bookings', said)
        waiting = admin_pages.get(html.unescape(link)).context["cl"].queryset
        assert {booking.status for booking in waiting} == {"pending"}
        assert "still wait" not in admin_pages.post(page, {**sent, "capacity": "2"}, follow=True).content.decode()

    def test_one_that_was_never_booked_is_deleted(self, admin_pages: Client, room: Resource) -> None:
        admin_pages.post(f"{RESOURCES}{room.pk}/delete/", {"post": "yes"})
        assert not Resource.objects.exists()

    def test_one_that_has_bookings_is_not_deleted_and_the_page_says_what_to_do(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        make_cancelled_booking(alice, room)
        answer = admin_pages.post(f"{RESOURCES}{room.pk}/delete/", {"post": "yes"})
        assert answer.status_code == 200
        assert "1 booking of Blue room. A resource that has bookings cannot be deleted" in answer.content.decode()
        assert Resource.objects.exists()

    def test_in_bulk_those_without_bookings_go_and_the_others_are_reported(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        make_booking(alice, room)
        body = {"action": "delete_selected", "_selected_action": [room.pk, lab.pk]}
        assert "1 booking of Blue room" in admin_pages.post(RESOURCES, body).content.decode()
        answer = admin_pages.post(RESOURCES, {**body, "post": "yes"})
        report = [message.message for message in get_messages(answer.wsgi_request)]
        assert report[0] == "1 resource deleted."
        assert report[1].startswith("Not done: Blue room: This resource has bookings and cannot be deleted.")
        assert Resource.objects.get() == room
        assert [entry.object_id for entry in LogEntry.objects.all()] == [str(lab.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_resource_is_booked_or_deleted_but_not_both(
    admin_pages: Client, root_pages: Client, alice: User, room: Resource
) -> None:
    answers = in_parallel(
        [
            lambda: admin_pages.post(f"{RESOURCES}{room.pk}/delete/", {"post": "yes"}),
            lambda: root_pages.post("/admin/core/booking/add/", typed_anew(alice, room)),
        ]
    )
    assert [answer.status_code in (200, 302) for answer in answers] == [True, True], answers
    assert Resource.objects.count() == Booking.objects.count()


class TestProfiles:
    def test_staff_set_a_picture(self, admin_pages: Client, alice: User) -> None:
        page = f"{PROFILES}{alice.profile.pk}/change/"
        answer = admin_pages.post(page, {"profile_picture": "https://example.org/a.png", "cloudinary_public_id": "a"})
        alice.profile.refresh_from_db()
        assert answer.status_code == 302
        assert (alice.profile.profile_picture, alice.profile.cloudinary_public_id) == ("https://example.org/a.png", "a")

    def test_an_empty_picture_is_none(self, admin_pages: Client, alice: User) -> None:
        UserProfile.objects.filter(user=alice).update(profile_picture="https://example.org/a.png")
        admin_pages.post(f"{PROFILES}{alice.profile.pk}/change/", {"profile_picture": "", "cloudinary_public_id": ""})
        alice.profile.refresh_from_db()
        assert (alice.profile.profile_picture, alice.profile.cloudinary_public_id) == (None, None)

    @pytest.mark.parametrize(
        "address", ["javascript:alert(1)", "ftp://example.org/a", "https://" + "a" * 500 + ".org", "a b", "https://\0"]
    )
    def test_a_picture_is_an_http_address(self, admin_pages: Client, alice: User, address: str) -> None:
        answer = admin_pages.post(f"{PROFILES}{alice.profile.pk}/change/", {"profile_picture": address})
        assert list(errors_of(answer)) == ["profile_picture"]
        alice.profile.refresh_from_db()
        assert alice.profile.profile_picture is None

    def test_staff_add_a_missing_one(self, admin_pages: Client, alice: User) -> None:
        alice.profile.delete()
        assert admin_pages.post(f"{PROFILES}add/", {"user": alice.pk}).status_code == 302
        assert UserProfile.objects.filter(user=alice).exists()

    @pytest.mark.parametrize("key", [None, "x", "9" * 30, "\0", ""], ids=repr)
    def test_a_second_one_or_one_of_nobody_is_a_form_error(self, admin_pages: Client, alice: User, key: str) -> None:
        user = alice.pk if key is None else key
        assert list(errors_of(admin_pages.post(f"{PROFILES}add/", {"user": user}))) == ["user"]
        assert UserProfile.objects.filter(user=alice).count() == 1

    def test_staff_remove_one(self, admin_pages: Client, alice: User) -> None:
        admin_pages.post(f"{PROFILES}{alice.profile.pk}/delete/", {"post": "yes"})
        assert not UserProfile.objects.filter(user=alice).exists()

    @pytest.mark.django_db(transaction=True)
    def test_two_at_once_make_one(self, admin_pages: Client, root_pages: Client, alice: User) -> None:
        alice.profile.delete()
        calls = [
            lambda page=page: page.post(f"{PROFILES}add/", {"user": alice.pk}) for page in (admin_pages, root_pages)
        ]
        assert sorted(answer.status_code for answer in in_parallel(calls)) == [200, 302]
        assert UserProfile.objects.filter(user=alice).count() == 1
