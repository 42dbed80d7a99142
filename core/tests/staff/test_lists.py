"""The lists of the admin: what they show, what they cost, and that no query string breaks them."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import Booking, Resource, UserProfile
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
)
from core.tests.support.spellings import SPELLINGS

BOOKINGS = "/admin/core/booking/"
RESOURCES = "/admin/core/resource/"
PROFILES = "/admin/core/userprofile/"
USERS = "/admin/auth/user/"
LISTS = [BOOKINGS, RESOURCES, PROFILES, USERS, "/admin/auth/group/", "/admin/core/bookingevent/"]


def shown(pages: Client, address: str) -> list:
    """The rows of the list, in order."""
    answer = pages.get(address)
    assert answer.status_code == 200, answer
    return list(answer.context["cl"].result_list)


class TestBookings:
    def test_the_list_opens_on_today(self, admin_pages: Client, alice: User, room: Resource) -> None:
        now = timezone.now()
        first, second = make_booking(alice, room, now), make_booking(alice, room, now + timedelta(hours=1))
        others = [make_booking(alice, room, now + timedelta(days=days)) for days in (-2, 2)]
        assert shown(admin_pages, BOOKINGS)[0] == first
        assert not set(others) & set(shown(admin_pages, BOOKINGS))
        assert shown(admin_pages, f"{BOOKINGS}?when=all") == [others[1], second, first, others[0]]
        assert set(shown(admin_pages, f"{BOOKINGS}?q=blue")) == {first, second, *others}
        assert set(shown(admin_pages, f"{BOOKINGS}?status__exact=confirmed")) == {first, second, *others}

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ("when=tomorrow", [1]),
            ("from={1}&to={2}", [1, 2]),
            ("from={2}", [2, 3]),
            ("to={-1}", [-1]),
            ("from={1}&to={1}&q=blue", [1]),
        ],
    )
    def test_days_are_chosen(
        self, admin_pages: Client, alice: User, room: Resource, query: str, days: list[int]
    ) -> None:
        today = timezone.now().replace(hour=10, minute=0, second=0, microsecond=0)
        starts = {day: today + timedelta(days=day) for day in (-1, 1, 2, 3)}
        for day, start in starts.items():
            make_booking(alice, room, start)
            query = query.replace(f"{{{day}}}", f"{start:%Y-%m-%d}")
        rows = shown(admin_pages, f"{BOOKINGS}?{query}")
        assert [row.start_time for row in rows] == [starts[day] for day in days]

    def test_this_week_goes_from_monday_to_sunday(self, admin_pages: Client, alice: User, room: Resource) -> None:
        now = timezone.now()
        monday = now.replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
        made = [make_booking(alice, room, monday + timedelta(days=days)) for days in (-1, 0, 6, 7)]
        assert shown(admin_pages, f"{BOOKINGS}?when=week") == made[1:3]

    @pytest.mark.parametrize(
        "query", ["from=05/12/2026", "to=2026-13-01", "from=20261126", "from=2026-W48-4", "from=2026-02-31", "to=x"]
    )
    def test_a_day_that_is_none_leads_back_to_the_list(self, admin_pages: Client, query: str) -> None:
        answer = admin_pages.get(f"{BOOKINGS}?{query}")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{BOOKINGS}?e=1")

    @pytest.mark.parametrize("words", ["{pk}", "no. {pk}", "#{pk}", "NO.{pk}"])
    def test_they_are_found_by_their_number(self, admin_pages: Client, alice: User, room: Resource, words: str) -> None:
        booking, _ = make_booking(alice, room), make_booking(alice, room, at(12))
        assert shown(admin_pages, f"{BOOKINGS}?q={quote(words.format(pk=booking.pk))}") == [booking]

    def test_the_page_tells_when_what_who_and_how(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        make_booking(alice, lab, status="pending", notes="Bring <b>gloves</b> and a coat, and then something more")
        page = admin_pages.get(f"{BOOKINGS}?when=all").content.decode()
        for text in (
            f'<span class="nowrap">{at(10):%Y-%m-%d}</span> <span class="nowrap">10:00–11:00</span>',
            "Lab",
            "alice",
            "alice@example.org",
            '<span class="status status-pending">pending</span>',
            "Bring &lt;b&gt;gloves",
            "When (utc)",
        ):
            assert text.lower() in page.lower()

    @pytest.mark.parametrize("words", ["blue", "alice", "ALICE@EXAMPLE", "gloves", "blue gloves alice"])
    def test_they_are_found_by_resource_user_and_notes(
        self, admin_pages: Client, alice: User, bob: User, room: Resource, lab: Resource, words: str
    ) -> None:
        wanted = make_booking(alice, room, notes="Bring gloves")
        make_booking(bob, lab)
        assert shown(admin_pages, f"{BOOKINGS}?q={quote(words)}") == [wanted]

    @pytest.mark.parametrize(("stored", "words"), SPELLINGS)
    def test_a_search_minds_neither_case_nor_composition(
        self, admin_pages: Client, alice: User, bob: User, lab: Resource, stored: str, words: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(last_name=stored)
        wanted = make_booking(alice, lab)
        make_booking(bob, lab, at(14))
        assert shown(admin_pages, f"{BOOKINGS}?q={quote(words)}") == [wanted]
        assert shown(admin_pages, f"/admin/core/userprofile/?q={quote(words)}") == [alice.profile]

    def test_they_are_filtered_by_status_resource_user_day_and_time(
        self, admin_pages: Client, alice: User, bob: User, room: Resource, lab: Resource
    ) -> None:
        over, cancelled = make_ended_booking(alice, room), make_cancelled_booking(alice, lab)
        pending = make_pending_booking(bob, lab)
        day = at(10, day=-1)
        for query, rows in {
            "status__exact=pending": [pending],
            f"resource__id__exact={room.pk}": [over],
            f"user__id__exact={bob.pk}": [pending],
            "when=over": [over],
            "when=upcoming": [cancelled, pending],
            "when=running": [],
            f"start_time__year={day.year}&start_time__month={day.month}&start_time__day={day.day}": [over],
        }.items():
            assert shown(admin_pages, f"{BOOKINGS}?{query}") == rows, query

    def test_the_filter_names_a_hundred_resources_and_works_for_all(self, admin_pages: Client, alice: User) -> None:
        fill(101)
        room = Resource.objects.last()
        booking = make_booking(alice, room)
        answer = admin_pages.get(f"{BOOKINGS}?resource__id__exact={room.pk}")
        assert booking in answer.context["cl"].result_list
        assert len(answer.context["cl"].result_list) == 2
        (spec,) = [spec for spec in answer.context["cl"].filter_specs if spec.title == "resource"]
        assert len(spec.lookup_choices) == 100


def test_resources_are_found_and_filtered(admin_pages: Client, room: Resource, lab: Resource) -> None:
    assert shown(admin_pages, f"{RESOURCES}?q=lab") == [lab]
    assert shown(admin_pages, f"{RESOURCES}?requires_approval__exact=0") == [room]


def test_profiles_are_found_and_filtered(admin_pages: Client, admin: User, alice: User) -> None:
    assert shown(admin_pages, f"{PROFILES}?q=alice") == [alice.profile]
    UserProfile.objects.filter(user=alice).update(profile_picture="https://example.org/a.png")
    assert shown(admin_pages, f"{PROFILES}?profile_picture__isempty=1") == [admin.profile]


def test_users_are_found_and_filtered(root_pages: Client, root: User, alice: User) -> None:
    assert shown(root_pages, f"{USERS}?q=alice") == [alice]
    assert shown(root_pages, f"{USERS}?is_superuser__exact=1") == [root]


def test_the_bookings_of_a_resource_and_of_a_user_are_one_click_away(
    root_pages: Client, alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    of_room, of_alice = f"{BOOKINGS}?resource__id__exact={room.pk}", f"{BOOKINGS}?user__id__exact={alice.pk}"
    for page, links in {
        RESOURCES: [of_room],
        f"{RESOURCES}{room.pk}/change/": [of_room],
        f"{BOOKINGS}?when=all": [of_room, of_alice],
        PROFILES: [of_alice],
        f"{PROFILES}{alice.profile.pk}/change/": [of_alice],
        USERS: [of_alice],
        f"{USERS}{alice.pk}/change/": [of_alice],
    }.items():
        html = root_pages.get(page).content.decode()
        for link in links:
            assert f'href="{link}"' in html, (page, link)


def fill(number: int, start: int = 0) -> None:
    """Users with a profile and a booking each, of a resource each, day after day."""
    users = [User(username=f"user{i}", email=f"user{i}@example.org") for i in range(start, number)]
    User.objects.bulk_create(users)
    UserProfile.objects.bulk_create(UserProfile(user=user) for user in users)
    resources = Resource.objects.bulk_create(Resource(name=f"Room {i}") for i in range(start, number))
    Booking.objects.bulk_create(
        Booking(user=user, resource=resource, start_time=at(10, day=1 + i), end_time=at(11, day=1 + i))
        for i, (user, resource) in enumerate(zip(users, resources, strict=True), start=start)
    )


@pytest.mark.parametrize("address", [BOOKINGS, RESOURCES, PROFILES, USERS])
def test_a_list_costs_the_same_statements_for_ten_rows_and_for_hundreds(root_pages: Client, address: str) -> None:
    root_pages.get(address)
    costs = []
    for start, number in ((0, 10), (10, 400)):
        fill(number, start)
        with CaptureQueriesContext(
            connection,
        ) as statements:
            answer = root_pages.get(address)
        assert answer.status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 9, [query["sql"] for query in statements.captured_queries]


BROKEN_ANYWHERE = [
    "q=%00",
    "q=%FF%FE",
    "q=" + "a" * 5000,
    "q=" + "a+" * 1500,
    "q=%27%22%5C%25_",
    "id__exact=x",
    "id__exact=" + "9" * 5000,
    "id__in=1,x",
    "p=x",
    "p=-1",
    "p=" + "9" * 30,
    "p=" + "9" * 5000,
    "all=x",
    "o=99.-99.0",
    "e=1",
    "_to_field=password",
    "_popup=x",
    "nothing=x",
    "id__regex=(",
    "_changelist_filters=%00&_facets=True",
]
BROKEN_IN_ONE = {
    BOOKINGS: [
        "q=%22",
        "id__exact=%00",
        "id__exact=" + "9" * 30,
        "id__isnull=perhaps",
        "pk=x",
        "o=x",
        "o=" + "9" * 5000,
        "notes__contains=%00",
        "notes__regex=(",
        "user__password__startswith=a",
        "user__email=%00",
        "user__id__exact=x",
        "user__id__exact=" + "9" * 30,
        "resource__id__exact=%00",
        "resource__id__exact=" + "9" * 30,
        "status__exact=%00",
        "when=%00",
        "start_time__gte=x",
        "start_time__gte=0000-00-00",
        "start_time__gte=9999-12-31T23:59:59-23:59",
        "start_time__year=x",
        "start_time__year=0",
        "start_time__year=9999",
        "start_time__year=9999&start_time__month=12",
        "start_time__year=9999&start_time__month=12&start_time__day=31",
        "start_time__year=" + "9" * 30,
        "start_time__year=2026&start_time__month=13",
        "start_time__month=x",
        "start_time__day=" + "9" * 30,
        "start_time__year__gte=" + "9" * 30,
        "end_time__year=10000",
    ],
    RESOURCES: [
        "name__contains=%00",
        "capacity=" + "9" * 30,
        "is_available__exact=x",
    ],
    PROFILES: [
        "profile_picture__isempty=x",
        "profile_picture__isempty=%00",
        "user__id__exact=x",
    ],
    USERS: [
        "username__iregex=(",
        "username__contains=%00",
        "username__startswith__x=1",
        "password__startswith=a",
        "is_staff__exact=x",
        "is_staff__exact=%00",
        "date_joined__year=9999&date_joined__month=12",
        "date_joined__year=" + "9" * 30,
        "groups__id__exact=x",
    ],
}
BROKEN = [(address, query) for address in LISTS for query in [*BROKEN_ANYWHERE, *BROKEN_IN_ONE.get(address, [])]]


@pytest.mark.parametrize(("address", "query"), BROKEN, ids=lambda value: value.removeprefix("/admin/")[:40])
def test_no_query_string_breaks_a_list(
    root_pages: Client, alice: User, room: Resource, address: str, query: str
) -> None:
    make_booking(alice, room)
    assert root_pages.get(f"{address}?{query}").status_code in (200, 302, 400)


def test_no_query_string_breaks_a_bulk_action(root_pages: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    for query in BROKEN_ANYWHERE:
        answer = root_pages.post(f"{BOOKINGS}?{query}", {"action": "confirm", "_selected_action": booking.pk})
        assert answer.status_code in (200, 302, 400), query


def test_a_search_that_is_too_long_is_said_to_be(admin_pages: Client, room: Resource) -> None:
    page = admin_pages.get(f"{RESOURCES}?q={'a+' * 6}").content.decode()
    assert "Search for at most 5 words" in page
    assert "Search for at most" not in admin_pages.get(f"{RESOURCES}?q={'a+' * 5}").content.decode()
    assert "for at most 5 words together" in admin_pages.get(BOOKINGS).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        f"{BOOKINGS}add/?user=x&resource=x",
        f"{BOOKINGS}add/?user=%00&resource=" + "9" * 30,
        f"{BOOKINGS}add/?start_time=x&end_time=9999-12-31&status=x&seen=x",
        f"{BOOKINGS}add/?_to_field=x&_popup=1&_changelist_filters=%00",
        f"{RESOURCES}add/?capacity=x&name=%00",
        f"{PROFILES}add/?user=x",
        f"{USERS}add/?username=%00&groups=x",
        "/admin/auth/group/add/?permissions=x",
        "/admin/r/x/x/",
        "/admin/r/999/1/",
        "/admin/%00/",
        "/admin/jsi18n/",
    ],
)
def test_no_address_breaks_a_page(root_pages: Client, address: str) -> None:
    assert root_pages.get(address).status_code in (200, 302, 400, 404)


@pytest.mark.parametrize("key", ["9" * 19, "9" * 40, "-" + "9" * 19, "x", "1.5"])
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_a_key_that_nothing_has_leads_back_to_the_admin(root_pages: Client, page: str, key: str) -> None:
    statuses = {
        model._meta.label: root_pages.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/{key}/{page}/")
        for model in admin.site._registry
    }
    assert {name: answer.status_code for name, answer in statuses.items() if answer.status_code not in (302, 403)} == {}
