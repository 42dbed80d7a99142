"""The requests to both servers, and the allowed ratio of the product's time to the floor's."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchmarks import data
from benchmarks.client import request

HALF_HOUR = timedelta(minutes=30)
# After this moment, all resources of the world POSTS are free.
FIRST_FREE = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=400)

# How many dates a series has.
DATES = 52

Maker = Callable[[int], bytes]


@dataclass(frozen=True)
class Scenario:
    """A kind of request.

    Attributes:
        name: The name in the table.
        world: The table of bookings.
        make: Makes the n-th request; n never repeats on one side.
        status: The status of a correct answer.
        goal: The desired time, as a multiple of the floor's.
        limit: The maximum time, as a multiple of the floor's.
        statements: The maximum number of SQL statements.
        requests: The number of timed requests on each side.
        same: The keys of the JSON answer whose values must be equal on both sides; None compares every byte.
        line: The name of its line in the chart; empty for a scenario outside the chart.
        size: The number of bookings in its table.
        before: Makes a request that is sent before each one and not timed; None for none.
    """

    name: str
    world: str
    make: Maker
    status: int
    goal: float
    limit: float
    statements: int
    requests: int
    same: tuple[str, ...] | None = None
    line: str = ""
    size: int = 0
    before: Maker | None = None


@dataclass(frozen=True)
class Group:
    """Scenarios that are measured in alternation.

    Attributes:
        flat: Whether to compare the last scenario's time with the first's; the ratio has its own goal and limit.
    """

    scenarios: list[Scenario]
    flat: bool = False
    goal: float = field(default=1.2, init=False)
    limit: float = field(default=1.4, init=False)


def always(content: bytes) -> Maker:
    """The same request each time."""
    return lambda number: content


def booking(resource: int, start: datetime) -> bytes:
    """A POST of a booking of half an hour."""
    times = {"start_time": start.isoformat(), "end_time": (start + HALF_HOUR).isoformat()}
    body = {"resource": resource, **times, "notes": "Planning round"}
    return request("POST", "/api/bookings/", token=data.token_of(data.USER), body=body)


def next_booking(resource: int) -> Maker:
    """POSTs of consecutive bookings on a resource."""
    return lambda number: booking(resource, FIRST_FREE + number * HALF_HOUR)


def weekly(number: int) -> bytes:
    """A POST of a series of `DATES` half hours, one each week; no two series have a date in common."""
    start = FIRST_FREE + number * HALF_HOUR
    times = {"start_time": start.isoformat(), "end_time": (start + HALF_HOUR).isoformat()}
    rule = {"rrule": f"FREQ=WEEKLY;COUNT={DATES}", "time_zone": "UTC"}
    body = {"resource": data.REPEATED, **times, **rule, "notes": "Planning round"}
    return request("POST", "/api/series/", token=data.token_of(data.USER), body=body)


def singles(number: int) -> list[bytes]:
    """The POSTs of the same dates, one by one."""
    start = FIRST_FREE + number * HALF_HOUR
    return [booking(data.REPEATED, start + week * timedelta(days=7)) for week in range(DATES)]


def next_move(number: int) -> bytes:
    """A PATCH that moves the same booking to the next time."""
    start = FIRST_FREE + number * HALF_HOUR
    body = {"start_time": start.isoformat(), "end_time": (start + HALF_HOUR).isoformat()}
    return request("PATCH", f"/api/bookings/{data.MOVED_ID}/", token=data.token_of(data.USER), body=body)


def next_cancellation(number: int) -> bytes:
    """A DELETE of the next booking."""
    return request("DELETE", f"/api/bookings/{data.GIVEN_UP_ID + number}/", token=data.token_of(data.USER))


def free(path: str, days: int, more: str = "") -> Maker:
    """A GET for a window of `days` days from tomorrow on."""
    start, end = (f"{first_packed() + timedelta(days=ahead):%Y-%m-%dT%H:%M:%SZ}" for ahead in (0, days))
    return always(request("GET", f"{path}?start={start}&end={end}{more}"))


def first_packed() -> datetime:
    """The start of the first packed booking: tomorrow at midnight UTC."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def grouped(number: int) -> str:
    """The digits in groups of three."""
    return f"{number:,}".replace(",", " ")


def groups(sizes: list[int]) -> list[Group]:
    """The scenarios that are measured request by request.

    Args:
        sizes: The numbers of bookings in the tables of the growing scenarios.
    """
    staff = always(request("GET", "/api/bookings/", token=data.token_of(data.STAFF)))
    own = always(request("GET", "/api/bookings/", token=data.token_of(data.USER)))
    resources = always(request("GET", "/api/resources/"))
    taken = always(booking(data.PACKED, first_packed()))
    fields = ("user", "username", "resource", "resource_name", "start_time", "end_time", "status", "notes")
    changed = ("id", "user", "username", "resource", "resource_name", "start_time", "end_time", "status", "notes")
    posts = [("0", data.EMPTY), ("100 000", data.LONG_HISTORY)]
    each = data.BACK_TO_BACK[max(sizes) >= 1_000_000]
    gapped = f"/api/resources/{data.GAPPED}/"
    slots = "&duration=10&step=15&timezone=Europe/Berlin"
    return [
        Group(
            [
                Scenario(f"staff list of {size}", data.world_of(size), staff, 200, 1.5, 2.0, 3, requests)
                for size, requests in ((1000, 120), (5000, 60))
            ]
        ),
        Group(
            [
                Scenario(
                    f"own 50 of {grouped(size)}",
                    data.world_of(size),
                    own,
                    200,
                    1.8,
                    2.3,
                    2,
                    400,
                    line="own 50",
                    size=size,
                )
                for size in sizes
            ],
            flat=True,
        ),
        Group(
            [
                Scenario(
                    f"1000 resources, {grouped(size)} bookings",
                    *(data.world_of(size), resources, 200, 1.8, 2.2, 1, 100),
                    line="1000 resources",
                    size=size,
                )
                for size in sizes
            ]
        ),
        Group(
            [
                Scenario(
                    f"{size} of 1000 resources",
                    data.world_of(max(sizes)),
                    always(request("GET", f"/api/resources/?limit={size}")),
                    *(200, 1.8, 2.5, 1, 200),
                )
                for size in (20, 200)
            ]
        ),
        Group(
            [
                Scenario(
                    "one resource",
                    data.world_of(max(sizes)),
                    always(request("GET", f"/api/resources/{data.EMPTY}/")),
                    *(200, 2, 3, 1, 300),
                ),
                Scenario(
                    "one booking",
                    data.POSTS,
                    always(request("GET", f"/api/bookings/{data.READ_ID}/", token=data.token_of(data.USER))),
                    *(200, 2, 3, 2, 300),
                ),
            ]
        ),
        Group([Scenario("PATCH of the times", data.POSTS, next_move, 200, 3, 4, 7, 300, changed)]),
        Group([Scenario("DELETE", data.POSTS, next_cancellation, 204, 2.5, 3.5, 5, 300)]),
        Group(
            [
                Scenario(f"POST, {past} past bookings", data.POSTS, next_booking(resource), 201, 2.5, 3, 5, 300, fields)
                for past, resource in posts
            ],
            flat=True,
        ),
        Group(
            [
                Scenario(
                    "POST, slot taken, 10 000 behind it",
                    *(data.POSTS, taken, 400, 2.5, 3.5, 5, 150),
                    same=("code", "conflicts", "suggestion"),
                )
            ]
        ),
        # The floor answers only a number of rows here, so the bodies are not compared.
        Group(
            [
                Scenario(
                    "time line of 90 days, 5000 bookings",
                    *(data.FREE, free(f"{gapped}availability/", 91), 200, 4, 5, 3, 60, ()),
                )
            ]
        ),
        Group(
            [
                Scenario(
                    "slots of 31 days, 1700 bookings",
                    *(data.FREE, free(f"{gapped}slots/", 31, slots), 200, 4, 5, 3, 100, ()),
                )
            ]
        ),
        Group(
            [
                Scenario(
                    "time line of 7 days",
                    *(data.FREE, free(f"{gapped}availability/", 7), 200, 2, 3, 2, 200, ()),
                ),
                Scenario(
                    "slots of 7 days",
                    *(data.FREE, free(f"{gapped}slots/", 7, "&duration=60"), 200, 2, 2.5, 2, 200, ()),
                ),
            ]
        ),
        Group(
            [
                Scenario(
                    "the day of 20 resources",
                    data.world_of(max(sizes)),
                    free("/api/resources/availability/", 1, "&limit=20"),
                    *(200, 3, 5, 3, 200, ()),
                )
            ]
        ),
        Group(
            [
                Scenario(
                    f"first slots of 1000 resources, {each} bookings each",
                    *(data.FREE, free("/api/availability/", 31, "&duration=60"), 200, 4, 5, 3, 20, ()),
                )
            ]
        ),
    ]


def with_terms(size: int) -> list[Scenario]:
    """The questions about many resources that are asked without and with opening hours, of the product alone."""
    world, usual = data.world_of(size), (200, 1.2, 1.5, 8, 40, ())
    return [
        Scenario("1000 resources", world, always(request("GET", "/api/resources/")), *usual),
        Scenario(
            "1000 resources, next free", world, always(request("GET", "/api/resources/?include=next_free")), *usual
        ),
        Scenario("1000 resources, free for an hour", world, free_for_an_hour(), *usual),
        Scenario("first slots of 1000 resources", world, free("/api/availability/", 31, "&duration=60"), *usual),
    ]


def free_for_an_hour() -> Maker:
    """A GET of the resources that are free tomorrow from 10 to 11."""
    start = first_packed() + timedelta(hours=10)
    times = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, start + timedelta(hours=1)))
    return always(request("GET", "/api/resources/?available=true&start={}&end={}".format(*times)))


def numbers() -> dict[str, "itertools.count[int]"]:
    """A counter for each side."""
    return {side: itertools.count() for side in data.SIDES}


def after_a_post() -> list[Scenario]:
    """The requests that are compared between the two ways of delivery, of the product alone."""
    own = always(request("GET", "/api/bookings/", token=data.token_of(data.USER + 1)))
    post = next_booking(data.EMPTY)
    return [
        Scenario("POST", data.POSTS, post, 201, 1.1, 1.5, 5, 300, ()),
        Scenario("own bookings right after one's POST", data.POSTS, own, 200, 1.1, 1.5, 2, 200, (), before=post),
    ]
