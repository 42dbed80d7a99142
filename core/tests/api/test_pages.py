"""?limit=, ?cursor= and ?count= of the two lists."""

import base64
import json
import re
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_cancelled_booking

BOOKINGS = "/api/bookings/"
RESOURCES = "/api/resources/"
LISTS = pytest.mark.parametrize("url", [BOOKINGS, RESOURCES])

TOTAL = 12


@pytest.fixture
def filled(alice: User, bob: User, room: Resource) -> None:
    """Twelve bookings of alice's, seven from one moment on, and one of bob's; twelve resources, five of one name."""
    for hour in range(6):
        make_booking(alice, room, at(hour))
    for _ in range(6):
        make_cancelled_booking(alice, room, at(3))
    make_booking(bob, room, at(20))
    names = ["Desk"] * 5 + [f"Desk {number}" for number in range(6)]
    Resource.objects.bulk_create(Resource(name=name) for name in names)


def next_page(answer: HttpResponseBase) -> str | None:
    found = re.search(r'<([^>]+)>; *rel="next"', answer.headers.get("Link", ""))
    return found and found[1]


@LISTS
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 11, 12, 13, 1000])
@pytest.mark.usefixtures("filled")
def test_pages_show_every_row_exactly_once_in_order(as_alice: APIClient, url: str, limit: int) -> None:
    whole = as_alice.get(url).json()
    assert len(whole) == TOTAL
    shown, here = [], f"{url}?limit={limit}"
    for _ in range(TOTAL + 1):
        answer = as_alice.get(here)
        assert answer.status_code == 200
        assert isinstance(answer.json(), list)
        assert 1 <= len(answer.json()) <= limit
        shown += answer.json()
        here = next_page(answer)
        if here is None:
            break
        assert urlsplit(here).path == url
        assert f"limit={limit}" in urlsplit(here).query.split("&")
    assert shown == whole


@LISTS
@pytest.mark.usefixtures("filled")
def test_a_page_that_holds_all_leads_nowhere(as_alice: APIClient, url: str) -> None:
    assert next_page(as_alice.get(url, {"limit": TOTAL})) is None
    assert next_page(as_alice.get(url, {"limit": TOTAL - 1})) is not None


@pytest.mark.usefixtures("db")
def test_an_empty_list_has_an_empty_page(as_alice: APIClient) -> None:
    answer = as_alice.get(BOOKINGS, {"limit": 5, "count": "true"})
    assert answer.json() == []
    assert answer.headers["X-Total-Count"] == "0"
    assert next_page(answer) is None


@LISTS
@pytest.mark.parametrize("limit", ["1", "1000", "007"])
@pytest.mark.usefixtures("filled")
def test_limits_that_are_fine(as_alice: APIClient, url: str, limit: str) -> None:
    assert len(as_alice.get(url, {"limit": limit}).json()) == min(int(limit), TOTAL)


@LISTS
@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "1001", "100000", "9" * 5_000, "", " ", "x", "1.0", "1e2", "+5", "0x5", "\u0665", "\0", "null", "5,6"],
    ids=lambda limit: repr(limit[:10]),
)
@pytest.mark.usefixtures("filled")
def test_any_other_limit_is_refused(as_alice: APIClient, url: str, limit: str) -> None:
    assert_flat_error(as_alice.get(url, {"limit": limit}), 400, field="limit")


def test_a_limit_that_is_refused_names_its_bounds(as_alice: APIClient) -> None:
    assert "1000" in as_alice.get(BOOKINGS, {"limit": 1_001}).json()["detail"]


@LISTS
@pytest.mark.parametrize("query", [{}, {"limit": 5}])
@pytest.mark.usefixtures("filled")
def test_the_total_is_told_when_it_is_asked_for(as_alice: APIClient, url: str, query: dict) -> None:
    assert as_alice.get(url, {**query, "count": "true"}).headers["X-Total-Count"] == str(TOTAL)
    assert "X-Total-Count" not in as_alice.get(url, query).headers
    assert "X-Total-Count" not in as_alice.get(url, {**query, "count": "false"}).headers


@pytest.mark.usefixtures("filled")
def test_the_total_counts_what_the_caller_sees(as_admin: APIClient, as_bob: APIClient) -> None:
    assert as_admin.get(BOOKINGS, {"count": "true"}).headers["X-Total-Count"] == str(TOTAL + 1)
    assert as_bob.get(BOOKINGS, {"count": "true"}).headers["X-Total-Count"] == "1"


@pytest.mark.usefixtures("filled")
def test_every_page_tells_the_same_total(as_alice: APIClient) -> None:
    answer = as_alice.get(BOOKINGS, {"limit": 5, "count": "true"})
    assert as_alice.get(next_page(answer)).headers["X-Total-Count"] == str(TOTAL)


@LISTS
@pytest.mark.parametrize("count", ["yes", "2", "", "\0"])
@pytest.mark.usefixtures("filled")
def test_a_count_that_is_neither_true_nor_false_is_refused(as_alice: APIClient, url: str, count: str) -> None:
    assert_flat_error(as_alice.get(url, {"count": count}), 400, field="count")


@pytest.mark.usefixtures("filled")
def test_pages_show_only_what_the_caller_may_see(as_alice: APIClient, as_bob: APIClient) -> None:
    leading_on = next_page(as_alice.get(BOOKINGS, {"limit": 5}))
    assert {row["username"] for row in as_bob.get(leading_on).json()} <= {"bob"}


@pytest.mark.usefixtures("filled")
def test_a_row_that_goes_meanwhile_hides_no_other(as_alice: APIClient) -> None:
    whole = [row["id"] for row in as_alice.get(BOOKINGS).json()]
    first = as_alice.get(BOOKINGS, {"limit": 5})
    Booking.objects.filter(pk__in=whole[:3]).delete()
    assert [row["id"] for row in as_alice.get(next_page(first)).json()] == whole[5:10]


def test_the_app_may_read_the_headers(as_alice: APIClient, settings: object) -> None:
    answer = as_alice.get(BOOKINGS, headers={"origin": settings.FRONTEND_URL})
    exposed = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"link", "x-total-count"} <= exposed


# --- Cursors that were tampered with ----------------------------------------------------------------------------------


def opened(word: str) -> list:
    return json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))


def closed(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("url", "values"),
    [
        pytest.param(BOOKINGS, ["0001-01-01T00:00:00+14:00", 1], id="before the first year in UTC"),
        pytest.param(BOOKINGS, ["9999-12-31T23:59:59-14:00", 1], id="after the last year in UTC"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00", 1], id="a time without offset"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00Z\0", 1], id="a time with NUL"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00Z", 2**63], id="an id beyond 64 bits"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00Z", True], id="an id true"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00Z", 1.5], id="an id with a fraction"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00Z", [1]], id="an id in a list"),
        pytest.param(BOOKINGS, ["2030-01-01T00:00:00Z"], id="too few values"),
        pytest.param(BOOKINGS, [None, None], id="nulls"),
        pytest.param(BOOKINGS, 7, id="a number for the values"),
        pytest.param(RESOURCES, ["a\0", 1], id="a name with NUL"),
        pytest.param(RESOURCES, ["a\ud800", 1], id="a name with a lone surrogate"),
        pytest.param(RESOURCES, [5, 1], id="a name that is a number"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_a_cursor_with_values_that_cannot_be_is_refused(as_alice: APIClient, url: str, values: object) -> None:
    leading_on = next_page(as_alice.get(url, {"limit": 5}))
    assert leading_on
    (word,) = re.findall(r"cursor=([^&]+)", leading_on)
    content = opened(word)
    content[-1] = values
    assert_flat_error(as_alice.get(url, {"limit": 5, "cursor": closed(content)}), 400, field="cursor")
    assert as_alice.get(url, {"limit": 5, "cursor": closed(opened(word))}).status_code == 200
