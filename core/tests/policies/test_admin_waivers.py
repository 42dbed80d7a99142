"""The form of a booking in the admin: boxes for the rules that refused, and what ticking them does."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core import errors, rules
from core.choices import Waivable
from core.models import Booking, Resource
from core.tests.bookings.test_admin import ADD, as_shown, change_page, errors_of, typed_anew
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_resource
from core.tests.support.records import recorded
from core.tests.support.rules import add_exception, add_quota, day_of, set_hours, set_policy

BOX = re.compile(r'<input type="checkbox" name="override" value="(\w+)"[^>]*?( checked)?>')


def boxes(answer: object) -> dict[str, bool]:
    """The boxes of a page, and whether each is ticked."""
    return {name: bool(ticked) for name, ticked in BOX.findall(answer.content.decode())}


def a_day(client: APIClient, room: Resource, **limits: object) -> None:
    """Open from 9 to 17, each day, with these limits."""
    set_hours(client, room, ("09:00", "17:00"))
    set_policy(client, room, **limits)


class TestWaiving:
    def test_a_rule_is_waived_by_ticking_its_box_after_the_refusal(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room)
        assert boxes(admin_pages.get(ADD)) == {}
        sent = typed_anew(alice, room, at(20))

        refused = admin_pages.post(ADD, sent)
        assert errors_of(refused) == {
            "__all__": [
                f"This resource is open 09:00–17:00 on {day_of()} (UTC). Choose another time.",
            ]
        }
        assert boxes(refused) == {"opening_hours": False}
        assert (Booking.objects.count(), recorded()) == (0, [])

        assert admin_pages.post(ADD, {**sent, "override": "opening_hours"}).status_code == 302
        assert Booking.objects.get().start_time == at(20)
        assert [row.waived_rules for row in recorded()] == [["opening_hours"]]

    def test_the_history_of_the_booking_tells_what_was_waived(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room)
        admin_pages.post(ADD, typed_anew(alice, room, at(20), override="opening_hours"))
        page = admin_pages.get(f"/admin/core/booking/{Booking.objects.get().pk}/history/")
        assert "waived: opening hours" in page.content.decode()

    def test_a_second_refusal_adds_its_box_and_keeps_the_ticked_one(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room, max_minutes=30)
        sent = typed_anew(alice, room, at(20))
        assert boxes(admin_pages.post(ADD, sent)) == {"duration": False}
        assert boxes(admin_pages.post(ADD, {**sent, "override": "duration"})) == {
            "duration": True,
            "opening_hours": False,
        }
        assert not Booking.objects.exists()
        assert admin_pages.post(ADD, {**sent, "override": ["duration", "opening_hours"]}).status_code == 302
        assert recorded()[0].waived_rules == ["duration", "opening_hours"]

    def test_a_box_that_was_not_needed_in_the_end_is_not_on_record(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room)
        assert admin_pages.post(ADD, typed_anew(alice, room, at(10), override="opening_hours")).status_code == 302
        assert recorded()[0].waived_rules == []

    def test_a_change_is_waived_in_the_same_way(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room)
        booking = make_booking(alice, room)
        assert boxes(admin_pages.get(change_page(booking))) == {}
        sent = as_shown(booking, start_time_1="16:30:00", end_time_1="18:00:00")
        assert boxes(admin_pages.post(change_page(booking), sent)) == {"opening_hours": False}
        assert Booking.objects.get().end_time == at(11)
        assert admin_pages.post(change_page(booking), {**sent, "override": "opening_hours"}).status_code == 302
        assert Booking.objects.get().end_time == at(18)
        assert recorded()[-1].waived_rules == ["opening_hours"]

    def test_a_record_of_what_is_over_asks_no_policy(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room, max_minutes=5)
        sent = typed_anew(alice, room, at(20, day=-1), past_confirmed="on")
        assert admin_pages.post(ADD, sent).status_code == 302
        assert recorded()[0].waived_rules == []


def book_too_long(client: APIClient, alice: User, room: Resource) -> datetime:
    set_policy(client, room, max_minutes=30)
    return at(10)


def book_too_far_ahead(client: APIClient, alice: User, room: Resource) -> datetime:
    set_policy(client, room, advance_days=3)
    return at(10, day=5)


def book_off_the_grid(client: APIClient, alice: User, room: Resource) -> datetime:
    set_policy(client, room, grid_minutes=45)
    return at(10)


def book_on_a_closed_day(client: APIClient, alice: User, room: Resource) -> datetime:
    add_exception(client, room, day_of(), name="Holiday")
    return at(10)


def book_too_close(client: APIClient, alice: User, room: Resource) -> datetime:
    set_policy(client, room, buffer_before_minutes=30)
    make_booking(alice, room, at(9))
    return at(10)


def book_past_a_quota(client: APIClient, alice: User, room: Resource) -> datetime:
    add_quota(client, kind="active", limit=1)
    make_booking(alice, room, at(15))
    return at(10)


def book_twice_at_once(client: APIClient, alice: User, room: Resource) -> datetime:
    set_policy(client, room, no_own_overlap=True)
    make_booking(alice, make_resource("Lab"), at(10))
    return at(10)


@pytest.mark.parametrize(
    ("situation", "box"),
    [
        (book_too_long, "duration"),
        (book_too_far_ahead, "horizon"),
        (book_off_the_grid, "grid"),
        (book_on_a_closed_day, "opening_hours"),
        (book_too_close, "buffers"),
        (book_past_a_quota, "quota"),
        (book_twice_at_once, "own_overlap"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_rule_that_staff_may_waive_has_its_box(
    admin_pages: Client, as_admin: APIClient, alice: User, room: Resource, situation: object, box: str
) -> None:
    sent = typed_anew(alice, room, situation(as_admin, alice, room))
    before = Booking.objects.count()
    answer = admin_pages.post(ADD, sent)
    assert boxes(answer) == {box: False}, errors_of(answer)
    assert Booking.objects.count() == before
    assert admin_pages.post(ADD, {**sent, "override": box}).status_code == 302
    assert recorded()[-1].waived_rules == [box]


class TestNoBox:
    def test_nobody_waives_a_taken_slot(self, admin_pages: Client, alice: User, room: Resource) -> None:
        make_booking(alice, room)
        every = [rule.value for rule in Waivable]
        assert boxes(admin_pages.post(ADD, typed_anew(alice, room))) == {}
        assert errors_of(admin_pages.post(ADD, typed_anew(alice, room, override=every)))
        assert Booking.objects.count() == 1

    def test_nobody_waives_a_closure(self, admin_pages: Client, admin: User, alice: User, room: Resource) -> None:
        make_closure(admin, room, reason="Repair")
        answer = admin_pages.post(ADD, typed_anew(alice, room))
        assert "closed at that time: Repair" in errors_of(answer)["__all__"][0]
        assert boxes(answer) == {}
        assert errors_of(admin_pages.post(ADD, typed_anew(alice, room, override="opening_hours")))
        assert not Booking.objects.exists()

    def test_nobody_waives_the_order_of_start_and_end(self, admin_pages: Client, alice: User, room: Resource) -> None:
        answer = admin_pages.post(ADD, typed_anew(alice, room) | {"end_time_1": "09:00:00"})
        assert (list(errors_of(answer)), boxes(answer)) == (["__all__"], {})

    def test_nobody_waives_the_five_years(self, admin_pages: Client, alice: User, room: Resource) -> None:
        sent = typed_anew(alice, room, timezone.now() + timedelta(days=1826), override="horizon")
        assert list(errors_of(admin_pages.post(ADD, sent))) == ["end_time"]
        assert not Booking.objects.exists()

    @pytest.mark.parametrize("name", ["free_slot", "", "\0", "x" * 5000])
    def test_another_name_is_a_form_error(self, admin_pages: Client, alice: User, room: Resource, name: str) -> None:
        answer = admin_pages.post(ADD, typed_anew(alice, room, override=name))
        assert list(errors_of(answer)) == ["override"]
        assert not Booking.objects.exists()


def test_a_refusal_knows_its_rule_wherever_it_is_raised(as_admin: APIClient, alice: User, room: Resource) -> None:
    set_policy(as_admin, room, max_minutes=30)
    booking = make_booking(alice, Resource.objects.get())
    with pytest.raises(errors.TooLong) as refused:
        rules.require(booking.slot, booking.resource, now=timezone.now())
    assert refused.value.waivable == Waivable.DURATION
