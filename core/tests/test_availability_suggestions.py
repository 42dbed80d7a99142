"""The suggestions of a conflict, judged by brute force: each is free, the first of its kind, and can be booked."""

from datetime import timedelta

from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests import oracle
from core.tests.factories import at, booking_body, make_booking, make_resource, text
from core.tests.properties import MINUTE, few, spans

NOON = at(12, day=4)
AROUND = timedelta(days=3)


@few
@given(
    here=spans(NOON, most=6, longest_gap=120),
    there=spans(NOON, most=3),
    which=st.integers(0, 5),
    shift=st.integers(-90, 90),
    duration=st.one_of(st.sampled_from([30, 60]), st.integers(1, 240)),
)
def test_each_suggestion_is_the_first_of_its_kind(
    as_bob: APIClient,
    alice: User,
    here: list[oracle.Span],
    there: list[oracle.Span],
    which: int,
    shift: int,
    duration: int,
) -> None:
    Resource.objects.update(is_available=False)  # those of the examples before
    wanted_room, other_room = make_resource("Here", capacity=4), make_resource("There", capacity=6)
    make_resource("Too small", capacity=3)
    for resource, taken in ((wanted_room, here), (other_room, there)):
        for span in taken:
            make_booking(alice, resource, *span)
    start = (here[which % len(here)][0] if here else NOON) + shift * MINUTE
    end = start + duration * MINUTE
    if oracle.is_free(start, end, oracle.taken_minutes(here)):
        return

    answer = as_bob.post("/api/bookings/", booking_body(wanted_room, start, end))

    expected = {
        "later": (wanted_room, oracle.first_slot(start, start + AROUND, here, duration=duration)),
        "earlier": (wanted_room, oracle.last_slot(start - AROUND, start, here, duration=duration)),
    }
    if oracle.is_free(start, end, oracle.taken_minutes(there)):
        expected["elsewhere"] = (other_room, (start, end))
    found = {one["kind"]: one for one in answer.json()["suggestions"]}
    assert {kind: (one["resource"], one["start_time"], one["end_time"]) for kind, one in found.items()} == {
        kind: (resource.pk, *map(text, span or ())) for kind, (resource, span) in expected.items()
    }
    assert [one["kind"] for one in answer.json()["suggestions"]] == list(expected)
    for one in found.values():
        body = {name: one[name] for name in ("resource", "start_time", "end_time")}
        booked = as_bob.post("/api/bookings/", body)
        assert booked.status_code == 201, booked.json()
        Booking.objects.filter(pk=booked.json()["id"]).delete()
