"""`?scope=` of a change of a booking of a series."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, text
from core.tests.support.series import BOOKINGS, SERIES, ids_of, make_series, on, starts, statuses


def test_without_a_scope_one_date_moves(as_alice: APIClient, ten: dict) -> None:
    for query in ("", "?scope=this", "?utm_source=mail"):
        answer = as_alice.patch(f"{BOOKINGS}{ids_of(ten)[2]}/{query}", on(12, day=3))
        assert answer.status_code == 200
    assert starts(ten["id"]) == [at(12 if day == 3 else 10, day=day) for day in range(1, 11)]


@pytest.mark.parametrize("method", ["patch", "put"])
def test_all_move_by_the_clock(as_alice: APIClient, room: Resource, ten: dict, method: str) -> None:
    third = ids_of(ten)[2]
    body = {"resource": room.pk, **on(11, day=3)}
    answer = getattr(as_alice, method)(f"{BOOKINGS}{third}/?scope=all", body)
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["id"], answer.json()["start_time"]) == (third, text(at(11, day=3)))
    assert starts(ten["id"]) == [at(11, day=day) for day in range(1, 11)]
    assert as_alice.get(f"{SERIES}{ten['id']}/").json()["start_time"] == at(11).replace(tzinfo=None).isoformat()


def test_following_on_the_third_of_ten_parts_the_series(as_alice: APIClient, ten: dict) -> None:
    uids = list(Booking.objects.order_by("pk").values_list("calendar_uid", flat=True))
    answer = as_alice.patch(f"{BOOKINGS}{ids_of(ten)[2]}/?scope=following", on(14, day=3))
    assert answer.status_code == 200, answer.json()
    old, new = as_alice.get(SERIES).json()
    assert (old["id"], new["previous"]) == (ten["id"], ten["id"])
    assert (old["rrule"], new["rrule"]) == ("FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=8")
    assert starts(old["id"]) == [at(10, day=day) for day in (1, 2)]
    assert starts(new["id"]) == [at(14, day=day) for day in range(3, 11)]
    assert list(Booking.objects.order_by("pk").values_list("calendar_uid", flat=True)) == uids


def test_a_taken_target_refuses_the_whole_move_and_every_clash_is_listed(
    as_alice: APIClient, bob: User, room: Resource, ten: dict
) -> None:
    for day in (3, 7):
        make_booking(bob, room, at(11, day=day))
    answer = as_alice.patch(f"{BOOKINGS}{ids_of(ten)[0]}/?scope=all", on(11, day=1))
    body = assert_flat_error(answer, 400, "dates_refused")
    assert [(date["start_time"], date["code"]) for date in body["dates"]] == [
        (text(at(11, day=day)), "slot_taken") for day in (3, 7)
    ]
    assert starts(ten["id"]) == [at(10, day=day) for day in range(1, 11)]


def test_a_cancelled_date_stays_cancelled_and_its_stranger_is_in_nobody_s_way(
    as_alice: APIClient, as_bob: APIClient, room: Resource, ten: dict
) -> None:
    fourth = ids_of(ten)[3]
    assert as_alice.delete(f"{BOOKINGS}{fourth}/").status_code == 204
    assert as_bob.post(BOOKINGS, {"resource": room.pk, **on(11, day=4)}).status_code == 201
    answer = as_alice.patch(f"{BOOKINGS}{ids_of(ten)[0]}/?scope=all", on(11, day=1))
    assert answer.status_code == 200, answer.json()
    assert as_alice.get(f"{BOOKINGS}{fourth}/").json()["status"] == "cancelled"
    assert statuses(ten["id"]).count("confirmed") == 9


def test_dates_changed_alone_keep_that_unless_they_are_reset(as_alice: APIClient, ten: dict) -> None:
    first, second, third = ids_of(ten)[:3]
    as_alice.patch(f"{BOOKINGS}{second}/", on(16, day=2))
    as_alice.delete(f"{BOOKINGS}{third}/")
    address = f"{BOOKINGS}{first}/?scope=all&reset_exceptions="
    assert as_alice.patch(address + "false", {"notes": "New"}).status_code == 200
    assert (starts(ten["id"])[1], statuses(ten["id"])[2]) == (at(16, day=2), "cancelled")
    assert as_alice.patch(address + "true", {"notes": "Newer"}).status_code == 200
    assert starts(ten["id"]) == [at(10, day=day) for day in range(1, 11)]
    assert set(statuses(ten["id"])) == {"confirmed"}


def test_notes_of_all_change_while_the_resource_is_out_of_service(as_alice: APIClient, ten: dict) -> None:
    Resource.objects.update(is_available=False)
    assert as_alice.patch(f"{BOOKINGS}{ids_of(ten)[0]}/?scope=all", {"notes": "Cake"}).status_code == 200
    assert set(Booking.objects.values_list("notes", flat=True)) == {"Cake"}


def test_staff_decide_on_a_whole_series(as_alice: APIClient, as_admin: APIClient, lab: Resource) -> None:
    made = make_series(as_alice, lab)
    refused = as_alice.patch(f"{BOOKINGS}{ids_of(made)[0]}/?scope=all", {"status": "confirmed"})
    assert refused.status_code == 400
    assert statuses(made["id"]) == ["pending"] * 3
    decided = as_admin.patch(f"{BOOKINGS}{ids_of(made)[0]}/?scope=all", {"status": "confirmed", "reason": "Fine"})
    assert decided.status_code == 200, decided.json()
    assert statuses(made["id"]) == ["confirmed"] * 3


@pytest.mark.parametrize(("scope", "left"), [("this", 9), ("following", 2), ("all", 0)])
def test_a_cancellation_keeps_to_its_scope(as_alice: APIClient, ten: dict, scope: str, left: int) -> None:
    assert as_alice.delete(f"{BOOKINGS}{ids_of(ten)[2]}/?scope={scope}").status_code == 204
    assert statuses(ten["id"]).count("confirmed") == left


@pytest.mark.parametrize("method", ["patch", "put", "delete"])
@pytest.mark.parametrize("scope", ["following", "all"])
def test_a_booking_that_does_not_repeat_has_no_other_scope(
    as_alice: APIClient, alice: User, room: Resource, method: str, scope: str
) -> None:
    booking = make_booking(alice, room)
    body = {"resource": room.pk, **on(12, day=1)} if method != "delete" else None
    answer = getattr(as_alice, method)(f"{BOOKINGS}{booking.pk}/?scope={scope}", body)
    assert_flat_error(answer, 400, "not_in_series")
    booking.refresh_from_db()
    assert (booking.status, booking.start_time) == ("confirmed", at(10))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("scope=some", "scope"),
        ("scope=", "scope"),
        ("scope=all&scope=this", "scope"),
        ("scope=all&reset_exceptions=perhaps", "reset_exceptions"),
        ("reset_exceptions=true", "reset_exceptions"),
    ],
)
@pytest.mark.parametrize("method", ["patch", "put", "delete"])
def test_a_bad_scope_is_refused(as_alice: APIClient, ten: dict, method: str, query: str, field: str) -> None:
    answer = getattr(as_alice, method)(f"{BOOKINGS}{ids_of(ten)[0]}/?{query}", {"notes": "x"})
    assert_flat_error(answer, 400, "invalid", field)
    assert statuses(ten["id"]) == ["confirmed"] * 10


def test_a_trial_of_all_tells_and_moves_nothing(as_alice: APIClient, bob: User, room: Resource, ten: dict) -> None:
    sent = {"id": ids_of(ten)[0], **on(11, day=1)}
    assert as_alice.post(f"{BOOKINGS}check/?scope=all", sent).json() == {"ok": True}
    make_booking(bob, room, at(11, day=5))
    tried = as_alice.post(f"{BOOKINGS}check/?scope=all", sent).json()
    assert (tried["ok"], tried["code"], len(tried["dates"])) == (False, "dates_refused", 1)
    assert as_alice.post(f"{BOOKINGS}check/?scope=this", sent).json() == {"ok": True}
    new = as_alice.post(f"{BOOKINGS}check/?scope=all", {"resource": room.pk, **on(20, day=1)}).json()
    assert (new["ok"], new["code"]) == (False, "not_in_series")
    assert starts(ten["id"]) == [at(10, day=day) for day in range(1, 11)]


def test_a_stranger_changes_no_date(as_bob: APIClient, ten: dict) -> None:
    address = f"{BOOKINGS}{ids_of(ten)[0]}/?scope=all"
    assert as_bob.patch(address, {"notes": "x"}).status_code == 403
    assert as_bob.delete(address).status_code == 403
    assert statuses(ten["id"]) == ["confirmed"] * 10
