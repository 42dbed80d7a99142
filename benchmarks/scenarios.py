"""What is asked of both servers, and how much slower than the floor the product may be."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchmarks import data
from benchmarks.client import request

HALF_HOUR = timedelta(minutes=30)
# Free on all resources of the world POSTS, beyond what is packed.
FIRST_FREE = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=400)

Maker = Callable[[int], bytes]


@dataclass(frozen=True)
class Scenario:
    """One kind of request.

    Attributes:
        name: For people.
        world: The table of bookings that it sees.
        make: The n-th request; n never repeats on one side.
        status: What the answer must be.
        goal: The time wanted, as a multiple of the floor's.
        limit: The time allowed, as a multiple of the floor's.
        statements: How many SQL statements it may take.
        requests: How many are timed on each side.
        same: The parts of the answer, a JSON object, that must be equal on both sides; None: every byte.
        line: Its name in the picture of growth, if it is there.
        size: How many bookings its table has.
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


@dataclass(frozen=True)
class Group:
    """Scenarios that are measured turn by turn.

    Attributes:
        flat: Whether the last may take little longer than the first.
    """

    scenarios: list[Scenario]
    flat: bool = False
    goal: float = field(default=1.2, init=False)
    limit: float = field(default=1.4, init=False)


def always(wanted: bytes) -> Maker:
    """The same request each time."""
    return lambda number: wanted


def booking(resource: int, start: datetime) -> bytes:
    """A POST of a booking of half an hour."""
    times = {"start_time": start.isoformat(), "end_time": (start + HALF_HOUR).isoformat()}
    body = {"resource": resource, **times, "notes": "Planning round"}
    return request("POST", "/api/bookings/", token=data.token_of(data.USER), body=body)


def next_booking(resource: int) -> Maker:
    """Bookings of a resource, one after the other."""
    return lambda number: booking(resource, FIRST_FREE + number * HALF_HOUR)


def free(path: str, days: int, more: str = "") -> Maker:
    """A question about so many days from tomorrow on."""
    start, end = (f"{first_packed() + timedelta(days=ahead):%Y-%m-%dT%H:%M:%SZ}" for ahead in (0, days))
    return always(request("GET", f"{path}?start={start}&end={end}{more}"))


def first_packed() -> datetime:
    """Where the packed bookings begin."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def in_words(number: int) -> str:
    """Its digits in groups of three."""
    return f"{number:,}".replace(",", " ")


def groups(sizes: list[int]) -> list[Group]:
    """All that is measured request by request.

    Args:
        sizes: How many bookings the tables of the flat scenarios have.
    """
    staff = always(request("GET", "/api/bookings/", token=data.token_of(data.STAFF)))
    own = always(request("GET", "/api/bookings/", token=data.token_of(data.USER)))
    resources = always(request("GET", "/api/resources/"))
    taken = always(booking(data.PACKED, first_packed()))
    shown = ("user", "username", "resource", "resource_name", "start_time", "end_time", "status", "notes")
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
                    f"own 50 of {in_words(size)}", data.world_of(size), own, 200, 3, 4, 3, 400, line="own 50", size=size
                )
                for size in sizes
            ],
            flat=True,
        ),
        Group(
            [
                Scenario(
                    f"1000 resources, {in_words(size)} bookings",
                    *(data.world_of(size), resources, 200, 2.5, 3, 2, 100),
                    line="1000 resources",
                    size=size,
                )
                for size in sizes
            ]
        ),
        Group(
            [
                Scenario(f"POST, {past} past bookings", data.POSTS, next_booking(resource), 201, 4, 5, 7, 300, shown)
                for past, resource in posts
            ],
            flat=True,
        ),
        Group(
            [
                Scenario(
                    "POST, slot taken, 10 000 behind it",
                    *(data.POSTS, taken, 400, 3, 4, 6, 150),
                    same=("code", "conflicts", "suggestion"),
                )
            ]
        ),
        # The floor of these answers the rows alone, so there is nothing to compare.
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
                    f"first slots of 1000 resources, {each} bookings each",
                    *(data.FREE, free("/api/availability/", 31, "&duration=60"), 200, 4, 5, 3, 20, ()),
                )
            ]
        ),
    ]


def numbers() -> dict[str, "itertools.count[int]"]:
    """For each side, numbers that never repeat."""
    return {side: itertools.count() for side in data.SIDES}
