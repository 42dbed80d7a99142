"""The admin of bookings: its form, its removal and its history are faces of the verbs."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.admin.booking_form import version_of
from core.models import Booking, Resource
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
    make_resource,
)
from core.tests.support.parallel import in_parallel
from core.tests.support.records import recorded, told

ADD = "/admin/core/booking/add/"
LIST = "/admin/core/booking/"


def change_page(booking: Booking) -> str:
    return f"{LIST}{booking.pk}/change/"


def typed(start: datetime, end: datetime, **more: object) -> dict[str, object]:
    """What the form sends: times to the second, a date and a clock each."""
    return {
        "start_time_0": f"{start:%Y-%m-%d}",
        "start_time_1": f"{start:%H:%M:%S}",
        "end_time_0": f"{end:%Y-%m-%d}",
        "end_time_1": f"{end:%H:%M:%S}",
        "notes": "",
        **more,
    }


def typed_anew(user: User, resource: Resource, start: datetime | None = None, **more: object) -> dict[str, object]:
    start = start or at(10)
    return typed(start, start + timedelta(hours=1), user=user.pk, resource=resource.pk, status="confirmed", **more)


def as_shown(booking: Booking, **more: object) -> dict[str, object]:
    """What the form of a booking sends when nothing was typed."""
    stored = {
        "resource": booking.resource_id,
        "status": booking.status,
        "notes": booking.notes,
        "staff_note": booking.staff_note,
    }
    return typed(booking.start_time, booking.end_time, seen=version_of(booking), **{**stored, **more})


def errors_of(answer: object) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors.items())


class TestAdding:
    def test_staff_book_for_a_user(self, admin_pages: Client, admin: User, alice: User, room: Resource) -> None:
        answer = admin_pages.post(ADD, typed_anew(alice, room, notes="By telephone"))
        booking = Booking.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?from={at(10):%Y-%m-%d}&to={at(10):%Y-%m-%d}")
        assert (booking.user, booking.resource) == (alice, room)
        assert (booking.start_time, booking.end_time) == (at(10), at(11))
        assert (booking.status, booking.notes) == ("confirmed", "By telephone")
        assert told() == [("booking.created", booking.pk, "admin")]

    @pytest.mark.parametrize(("approval", "status"), [(True, "pending"), (False, "confirmed")], ids=["lab", "room"])
    def test_a_booking_without_a_status_has_the_one_that_the_resource_gives(
        self, admin_pages: Client, alice: User, approval: bool, status: str
    ) -> None:
        resource = make_resource(requires_approval=approval)
        admin_pages.post(ADD, typed_anew(alice, resource) | {"status": ""})
        assert Booking.objects.get().status == status

    def test_staff_record_what_happened_yesterday(self, admin_pages: Client, alice: User, room: Resource) -> None:
        admin_pages.post(ADD, typed_anew(alice, room, at(10, day=-1), past_confirmed="on"))
        assert Booking.objects.get().start_time == at(10, day=-1)

    def test_a_booking_that_is_over_is_asked_about_once_more(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        typed = typed_anew(alice, room, at(10, day=-1), past_confirmed="False")
        answer = admin_pages.post(ADD, typed)
        assert list(errors_of(answer)) == ["past_confirmed"]
        assert 'type="checkbox" name="past_confirmed"' in answer.content.decode()
        assert 'type="hidden" name="past_confirmed"' in admin_pages.get(ADD).content.decode()
        assert not Booking.objects.exists()
        assert admin_pages.post(ADD, {**typed, "past_confirmed": "on"}).status_code == 302
        assert Booking.objects.get().start_time == at(10, day=-1)

    def test_a_booking_that_has_begun_is_not_over(self, admin_pages: Client, alice: User, room: Resource) -> None:
        start = timezone.now() - timedelta(minutes=30)
        assert admin_pages.post(ADD, typed_anew(alice, room, start)).status_code == 302

    @pytest.mark.parametrize("field", ["start_time", "end_time"])
    @pytest.mark.parametrize("date", ["05/12/2026", "05/12/26", "5 Dec 2026", "12.05.2026", "20261205"])
    def test_a_date_has_one_meaning(
        self, admin_pages: Client, alice: User, room: Resource, field: str, date: str
    ) -> None:
        answer = admin_pages.post(ADD, {**typed_anew(alice, room), f"{field}_0": date})
        assert errors_of(answer) == {field: ["Write the date as YYYY-MM-DD, such as 2026-11-26."]}
        assert not Booking.objects.exists()

    def test_the_page_says_that_times_are_in_utc(self, admin_pages: Client) -> None:
        page = admin_pages.get(ADD).content.decode()
        assert "Start (UTC)" in page
        assert "All times are in UTC." in page

    def test_the_page_takes_the_resource_and_the_user_from_its_address(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        page = admin_pages.get(f"{ADD}?resource={room.pk}&user={alice.pk}").content.decode()
        assert f'<option value="{room.pk}" selected>Blue room</option>' in page
        assert f'<option value="{alice.pk}" selected>alice</option>' in page

    def test_an_overlap_is_a_form_error_that_names_the_clash(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        found = errors_of(admin_pages.post(ADD, typed_anew(alice, room, at(10.5))))
        assert list(found) == ["__all__"]
        assert f"Taken (UTC): {at(10):%Y-%m-%d} 10:00 to 11:00" in found["__all__"][0]
        assert (Booking.objects.count(), LogEntry.objects.count(), told()) == (1, 0, [])

    @pytest.mark.parametrize("minutes", [0, -1], ids=["nothing long", "backwards"])
    def test_an_end_that_is_not_after_the_start_is_a_form_error(
        self, admin_pages: Client, alice: User, room: Resource, minutes: int
    ) -> None:
        body = typed(at(10), at(10) + timedelta(minutes=minutes), user=alice.pk, resource=room.pk, status="pending")
        assert errors_of(admin_pages.post(ADD, body)) == {"__all__": ["The end must be after the start."]}
        assert not Booking.objects.exists()

    def test_a_resource_out_of_service_is_a_form_error(self, admin_pages: Client, alice: User) -> None:
        resource = make_resource(is_available=False)
        assert list(errors_of(admin_pages.post(ADD, typed_anew(alice, resource)))) == ["resource"]
        assert not Booking.objects.exists()

    def test_more_than_five_years_ahead_is_a_form_error(self, admin_pages: Client, alice: User, room: Resource) -> None:
        late = timezone.now() + timedelta(days=1826)
        assert list(errors_of(admin_pages.post(ADD, typed_anew(alice, room, late)))) == ["end_time"]
        assert not Booking.objects.exists()

    @pytest.mark.parametrize("year", ["0001", "1899"])
    def test_a_record_from_before_the_year_1900_is_a_form_error(
        self, admin_pages: Client, alice: User, room: Resource, year: str
    ) -> None:
        typed = {**typed_anew(alice, room), "start_time_0": f"{year}-12-31"}
        assert list(errors_of(admin_pages.post(ADD, typed))) == ["start_time"]
        assert not Booking.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("user", "x"),
            ("user", ""),
            ("user", "-1"),
            ("user", "9" * 30),
            ("user", "\0"),
            ("resource", "x"),
            ("resource", "²"),
            ("resource", "9" * 5000),
            ("start_time_0", "yesterday"),
            ("start_time_0", "\0"),
            ("start_time_0", "0000-01-01"),
            ("start_time_1", "25:00"),
            ("end_time_0", "9999-12-31"),
            ("end_time_1", ""),
            ("status", "perhaps"),
            ("status", "\0"),
            ("notes", "a\0b"),
            ("notes", "n" * 5001),
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_garbage_is_a_form_error(
        self, admin_pages: Client, alice: User, room: Resource, field: str, value: str
    ) -> None:
        assert errors_of(admin_pages.post(ADD, typed_anew(alice, room) | {field: value}))
        assert not Booking.objects.exists()

    def test_an_empty_form_is_full_of_errors(self, admin_pages: Client) -> None:
        assert set(errors_of(admin_pages.post(ADD, {}))) >= {"user", "resource", "start_time", "end_time"}


class TestChanging:
    def test_staff_move_a_booking_and_its_owner_is_told(
        self, admin_pages: Client, admin: User, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        answer = admin_pages.post(change_page(booking), as_shown(booking) | typed(at(12), at(13)))
        booking.refresh_from_db()
        assert answer.status_code == 302
        assert (booking.start_time, booking.end_time, booking.user) == (at(12), at(13), alice)
        assert [(kind, name) for kind, _, name in told()] == [("booking.changed", "admin")]

    def test_staff_repair_a_booking_that_is_over(self, admin_pages: Client, alice: User, room: Resource) -> None:
        booking = make_ended_booking(alice, room)
        admin_pages.post(change_page(booking), as_shown(booking, status="rejected"))
        booking.refresh_from_db()
        assert booking.status == "rejected"

    def test_saving_the_form_as_it_is_changes_nothing(self, admin_pages: Client, alice: User, room: Resource) -> None:
        start = at(10).replace(second=7, microsecond=654_321)
        booking = make_booking(alice, room, start, at(11).replace(second=59, microsecond=999_999))
        answer = admin_pages.post(change_page(booking), as_shown(booking))
        stored = Booking.objects.get()
        assert answer.status_code == 302
        assert (stored.start_time, stored.end_time) == (booking.start_time, booking.end_time)
        assert (stored.updated_at, told()) == (booking.updated_at, [])

    @pytest.mark.parametrize(
        "notes",
        [
            pytest.param("a\nb", id="lines"),
            pytest.param("a\r\nb\rc\n", id="other ends of lines"),
            pytest.param(" a \n", id="blanks at the ends"),
            pytest.param("x\n" * 2_500, id="as many characters as there may be"),
        ],
    )
    def test_notes_that_were_left_alone_stay_as_they_are(
        self, admin_pages: Client, as_alice: APIClient, alice: User, room: Resource, notes: str
    ) -> None:
        sent = {**booking_body(room), "notes": notes, "status": "pending"}
        booking = Booking.objects.get(pk=as_alice.post("/api/bookings/", sent).json()["id"])
        from_browser = as_shown(booking, notes=re.sub("\r\n|\r|\n", "\r\n", notes))
        assert admin_pages.post(change_page(booking), from_browser).status_code == 302
        assert Booking.objects.get() == booking
        assert Booking.objects.get().updated_at == booking.updated_at
        assert len(told()) == 1
        assert admin_pages.post(change_page(booking), {**from_browser, "status": "confirmed"}).status_code == 302
        assert (Booking.objects.get().notes, Booking.objects.get().status) == (notes, "confirmed")
        assert told()[1:] == [("booking.confirmed", booking.pk, "admin")]

    def test_the_reason_for_a_new_status_stands_on_record(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        booking = make_pending_booking(alice, lab)
        sent = as_shown(booking, status="rejected", reason="The laser\r\nis broken.")
        assert admin_pages.post(change_page(booking), sent).status_code == 302
        assert [(row.kind, row.reason) for row in recorded()] == [("booking.rejected", "The laser\nis broken.")]

    def test_a_reason_without_a_new_status_is_refused_beside_its_field(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        answer = admin_pages.post(change_page(booking), as_shown(booking, notes="New", reason="Why not"))
        assert list(errors_of(answer)) == ["reason"]
        assert Booking.objects.get().notes == ""

    def test_a_rejection_without_the_reason_that_the_resource_requires_is_refused(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        Resource.objects.update(reason_required=True)
        booking = make_pending_booking(alice, lab)
        answer = admin_pages.post(change_page(booking), as_shown(booking, status="rejected"))
        assert list(errors_of(answer)) == ["reason"]
        assert Booking.objects.get().status == "pending"

    def test_a_note_of_staff_is_written_and_keeps_that_of_a_colleague(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        assert admin_pages.post(change_page(booking), as_shown(booking, staff_note="First")).status_code == 302
        opened = as_shown(Booking.objects.get(), staff_note="Mine")
        as_admin.patch(f"/api/bookings/{booking.pk}/", {"staff_note": "The colleague's"})
        assert "confirmed by now" in str(errors_of(admin_pages.post(change_page(booking), opened)))
        assert Booking.objects.get().staff_note == "The colleague's"

    def test_new_notes_have_plain_ends_of_lines(self, admin_pages: Client, alice: User, room: Resource) -> None:
        booking = make_booking(alice, room, notes="a\nb")
        admin_pages.post(change_page(booking), as_shown(booking, notes="a\r\nc"))
        assert Booking.objects.get().notes == "a\nc"
        admin_pages.post(change_page(booking), as_shown(Booking.objects.get(), notes="x\r\n" * 2_500))
        assert len(Booking.objects.get().notes) == 5_000 - 1, "the blanks at the ends of new notes go"

    def test_saving_the_form_as_it_is_meets_no_neighbour(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        seam = at(10).replace(microsecond=500_000)
        make_booking(alice, room, at(9), seam)
        later = make_booking(alice, room, seam, at(11))
        assert admin_pages.post(change_page(later), as_shown(later, notes="Hello")).status_code == 302
        later.refresh_from_db()
        assert (later.start_time, later.notes) == (seam, "Hello")

    def test_moving_one_end_keeps_the_microseconds_of_the_other(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room, at(10).replace(microsecond=654_321), at(11))
        admin_pages.post(change_page(booking), as_shown(booking, end_time_1="11:30:00"))
        stored = Booking.objects.get()
        assert (stored.start_time, stored.end_time) == (booking.start_time, at(11.5))

    def test_the_notes_change_though_the_resource_is_out_of_service(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        Resource.objects.update(is_available=False)
        admin_pages.post(change_page(booking), as_shown(booking, notes="Key at the desk"))
        booking.refresh_from_db()
        assert booking.notes == "Key at the desk"

    def test_nobody_hands_a_booking_over(self, admin_pages: Client, alice: User, bob: User, room: Resource) -> None:
        booking = make_booking(alice, room)
        admin_pages.post(change_page(booking), as_shown(booking, user=bob.pk, notes="Hello"))
        booking.refresh_from_db()
        assert (booking.user, booking.notes) == (alice, "Hello")

    def test_reviving_onto_a_taken_slot_is_a_form_error(self, admin_pages: Client, alice: User, room: Resource) -> None:
        make_booking(alice, room)
        cancelled = make_cancelled_booking(alice, room)
        found = errors_of(admin_pages.post(change_page(cancelled), as_shown(cancelled, status="pending")))
        assert "already booked" in found["__all__"][0]
        cancelled.refresh_from_db()
        assert (cancelled.status, LogEntry.objects.count(), told()) == ("cancelled", 0, [])

    def test_a_booking_that_changed_since_the_form_was_opened_is_not_overwritten(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        opened = as_shown(booking)
        booking.start_time, booking.end_time = at(15), at(16)
        booking.save()
        (sentence,) = errors_of(admin_pages.post(change_page(booking), opened | {"notes": "Hello"}))["__all__"]
        assert "Somebody changed this booking" in sentence
        booking.refresh_from_db()
        assert (booking.start_time, booking.notes) == (at(15), "")

    @pytest.mark.parametrize("key", ["0", "x", "%00", "_00", "9" * 30, "1 OR 1"])
    def test_a_booking_that_is_not_there_leads_back(self, admin_pages: Client, key: str) -> None:
        for page in ("change", "delete", "history"):
            assert admin_pages.get(f"{LIST}{key}/{page}/").status_code == 302


class TestRemoving:
    def test_a_live_booking_is_removed_and_that_is_its_cancellation(
        self, admin_pages: Client, admin: User, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        answer = admin_pages.post(f"{LIST}{booking.pk}/delete/", {"post": "yes"})
        assert (answer.status_code, Booking.objects.count()) == (302, 0)
        assert told() == [("booking.removed", booking.pk, "admin")]

    @pytest.mark.parametrize("make", [make_cancelled_booking, make_ended_booking], ids=["cancelled", "over"])
    def test_nobody_is_told_of_the_removal_of_a_dead_one(
        self, admin_pages: Client, alice: User, room: Resource, make: object
    ) -> None:
        booking = make(alice, room)
        admin_pages.post(f"{LIST}{booking.pk}/delete/", {"post": "yes"})
        assert (Booking.objects.count(), told()) == (0, [("booking.removed", booking.pk, "admin")])


class TestHistory:
    def test_the_admin_logs_who_added_and_changed_what(
        self, admin_pages: Client, admin: User, alice: User, room: Resource
    ) -> None:
        admin_pages.post(ADD, typed_anew(alice, room))
        booking = Booking.objects.get()
        admin_pages.post(change_page(booking), as_shown(booking, notes="Hello"))
        entries = LogEntry.objects.filter(user=admin, object_id=str(booking.pk))
        assert {entry.get_change_message() for entry in entries} == {"Added.", "Changed Notes."}

    def test_a_removal_is_kept_too(self, admin_pages: Client, admin: User, alice: User, room: Resource) -> None:
        booking = make_booking(alice, room)
        admin_pages.post(f"{LIST}{booking.pk}/delete/", {"post": "yes"})
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id, entry.is_deletion()) == (admin, str(booking.pk), True)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_two_forms_for_one_slot_make_one_booking(
        self, admin_pages: Client, root_pages: Client, alice: User, room: Resource
    ) -> None:
        body = typed_anew(alice, room)
        answers = in_parallel([lambda page=page: page.post(ADD, body) for page in (admin_pages, root_pages)])
        assert sorted(answer.status_code for answer in answers) == [200, 302]
        lost = next(answer for answer in answers if answer.status_code == 200)
        assert "already booked" in lost.content.decode()
        assert Booking.objects.count() == 1

    def test_of_two_decisions_about_one_booking_the_first_holds(
        self, admin_pages: Client, root_pages: Client, alice: User, lab: Resource
    ) -> None:
        booking = make_pending_booking(alice, lab)
        chosen = {"_selected_action": [booking.pk]}
        calls = [
            lambda: admin_pages.post(LIST, {"action": "confirm", **chosen}),
            lambda: root_pages.post(LIST, {"action": "reject", "post": "yes", **chosen}),
        ]
        assert [answer.status_code for answer in in_parallel(calls)] == [302, 302]
        assert [row.kind for row in recorded()] == [f"booking.{Booking.objects.get().status}"]

    def test_two_removals_of_one_booking_send_one_cancellation(
        self, admin_pages: Client, root_pages: Client, alice: User, room: Resource
    ) -> None:
        booking = make_pending_booking(alice, room)
        pages = (admin_pages, root_pages)
        calls = [lambda page=page: page.post(f"{LIST}{booking.pk}/delete/", {"post": "yes"}) for page in pages]
        assert [answer.status_code for answer in in_parallel(calls)] == [302, 302]
        assert (Booking.objects.count(), len(told())) == (0, 1)
