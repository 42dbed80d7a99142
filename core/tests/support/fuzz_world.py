"""What a fuzzed call may meet: people, things, tokens and free slots, and how a generated call gets some of them."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from djoser.utils import encode_uid
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import RefreshToken
from schemathesis import Case

from core.api.fields import LARGEST_KEY
from core.calendars.models import CalendarFeed
from core.calendars.secrets import SECRET, hash_of, new_secret
from core.models import Booking, Closure, OpeningException, Quota, Resource, Series
from core.record.kinds import EventKind
from core.record.writing import record
from core.tests.support.acts import act
from core.tests.support.closures import make_closure
from core.tests.support.factories import PASSWORD, at, make_booking, make_resource, make_user, text
from core.tests.support.series import make_dates

ROLES = ("anonymous", "user", "staff")

# Every so many calls are left as they were generated.
UNTOUCHED = 5

KEY = re.compile("[!-~]{1,255}")
NEXT = re.compile(r'<([^>]*)>; rel="next"')


@dataclass
class World:
    """One of each, all of them the caller's own where somebody calls."""

    role: str
    owner: User
    room: Resource
    booking: Booking
    feed: CalendarFeed
    closure: Closure
    series: Series
    secret: str
    # Of all resources, and of the room.
    exceptions: tuple[OpeningException, OpeningException]
    quota: Quota
    # What the caller signs in with, in turn.
    credentials: list[str]
    calls: int = 0
    answers: list[int] = field(default_factory=list)

    def headers(self) -> dict[str, str]:
        """Those of a caller who is signed in; by turns in both ways."""
        if not self.credentials:
            return {}
        return {"Authorization": self.credentials[self.calls % len(self.credentials)]}

    def share_of_successes(self) -> float:
        return sum(status < 300 for status in self.answers) / len(self.answers)

    def path_id(self, path: str) -> int:
        """A real id for an address."""
        places = {"bookings": self.booking, "users": self.owner, "calendar-feeds": self.feed, "quotas": self.quota}
        places |= {"closures": self.closure, "series": self.series}
        of_all, of_room = self.exceptions
        places |= {"resources": self.room, "opening-exceptions": of_room if "/resources/" in path else of_all}
        return places[path.partition("/{id}/")[0].rpartition("/")[2]].pk

    def next_page(self, case: Case) -> dict[str, str]:
        """The parameters that lead from the first page of a list to the second, if there are two."""
        first = case.derive(query={"limit": "1"}).call(headers=self.headers())
        found = NEXT.search(", ".join(first.headers.get("link", [])))
        return dict(parse_qsl(urlsplit(found[1]).query)) if found else {}

    def slot(self) -> dict[str, str]:
        """A free slot, another one each time."""
        start = at(0, day=2) + timedelta(hours=self.calls)
        return {"start_time": text(start), "end_time": text(start + timedelta(hours=1))}

    def body(self) -> dict[str, Any]:
        """A good value for a field of each name."""
        return {
            **self.slot(),
            "resource": self.room.pk,
            "resources": [self.room.pk],
            "user": self.owner.pk,
            "group": self.quota.group_id,
            "id": self.booking.pk,
            "ids": [self.booking.pk],
            "bookings": [{**self.slot(), "resource": self.room.pk}],
            "username": f"user{self.calls}",
            "email": f"user{self.calls}@example.org",
            "password": PASSWORD,
            "current_password": PASSWORD,
            "new_password": f"another-horse-{self.calls}",
            "re_new_password": f"another-horse-{self.calls}",
            "profile_picture": "https://images.example.org/a.png",
            "time_zone": "Europe/Berlin",
            "first_day": "2031-02-01",
            "last_day": "2031-02-02",
            "rrule": "FREQ=DAILY;COUNT=2",
            "exdates": [],
            "rdates": [],
        }

    def tokens(self, operation: str) -> dict[str, Any]:
        """What is called the same and means something else elsewhere."""
        if operation in ("signIn", "createJwt"):
            return {"username": self.owner.username}
        if operation in ("verifyJwt", "refreshJwt", "voidJwt"):
            token = str(RefreshToken.for_user(self.owner))
            return {"token": token, "refresh": token}
        if operation == "cancelDates":
            return {"ids": [self.series.bookings.first().pk], "start": text(at(0)), "end": text(at(0, day=90))}
        if operation == "previewClosure":
            return {"id": self.closure.pk}
        if operation == "confirmPasswordReset":
            return {"uid": encode_uid(self.owner.pk), "token": default_token_generator.make_token(self.owner)}
        return {}


def make_world(role: str) -> World:
    """The world of a caller."""
    flags = {"staff": {"is_staff": True}, "superuser": {"is_staff": True, "is_superuser": True}}.get(role, {})
    owner = make_user(f"{role}-alice", **flags)
    booked = make_resource("Booked room")
    secret = new_secret()
    token, access = Token.objects.create(user=owner).key, RefreshToken.for_user(owner).access_token
    make_booking(owner, booked, at(12))
    CalendarFeed.objects.create(user=owner, secret_hash=hash_of(new_secret()))
    booking = make_booking(owner, booked, at(10))
    for kind in (EventKind.CREATED, EventKind.CHANGED):
        record(act(owner), kind, after=booking)
    day = date(2031, 1, 1 + User.objects.count())  # another one for each world: exceptions of all must not clash
    far = {"first_day": day, "last_day": day}
    room = make_resource("Free room")
    exceptions = [OpeningException.objects.create(resource=whose, **far) for whose in (None, room)]
    group = Group.objects.create(name=f"{role}s")
    return World(
        role=role,
        owner=owner,
        room=room,
        exceptions=(exceptions[0], exceptions[1]),
        quota=Quota.objects.create(kind="active", limit=1000, group=group),
        booking=booking,
        feed=CalendarFeed.objects.create(user=owner, secret_hash=hash_of(secret)),
        series=make_dates(owner, make_resource("Weekly room")),
        closure=make_closure(owner, make_resource("Closed room")),
        secret=secret,
        credentials=[] if role == "anonymous" else [f"Token {token}", f"JWT {access}"],
    )


def feed(case: Case, world: World, *, values: bool = True) -> None:
    """Give a call something real to work on; what was generated to be wrong stays wrong."""
    world.calls += 1
    feed_headers(case, world)
    if not values:
        feed_address(case, world)
    elif case.path == "/api/schema/" and not is_wrong(case):
        # The other form of the same takes long to read.
        case.query = {"format": "json"}
    elif world.calls % UNTOUCHED:
        feed_address(case, world)
        feed_values(case, world)


def is_wrong(case: Case) -> bool:
    """Whether it was generated not to fit the description."""
    return case.meta is not None and case.meta.generation.mode.is_negative


def feed_headers(case: Case, world: World) -> None:
    """Any version, and a key of its own: a made-up version is stale, a key for two bodies is refused."""
    headers = case.headers or {}
    if "If-Match" in headers:
        headers["If-Match"] = "*"
    if KEY.fullmatch(str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = f"key-{world.calls}"


def feed_address(case: Case, world: World) -> None:
    """Something that is there; what can be no key stays."""
    parameters = case.path_parameters or {}
    if str(parameters.get("id", "")).isdecimal() and int(parameters["id"]) <= LARGEST_KEY:
        parameters["id"] = world.path_id(case.path)
    if str(parameters.get("resource_id", "")).isdecimal() and int(parameters["resource_id"]) <= LARGEST_KEY:
        parameters["resource_id"] = world.room.pk
    if SECRET.fullmatch(str(parameters.get("secret", ""))):
        parameters["secret"] = world.secret


def feed_values(case: Case, world: World) -> None:
    """Good values for what fits the description."""
    if is_wrong(case):
        return
    feed_body(case, world)
    feed_query(case, world)


def feed_body(case: Case, world: World) -> None:
    """Good values for what is sent."""
    if isinstance(case.body, dict):
        good = {**world.body(), **world.tokens(case.operation.definition.raw["operationId"])}
        case.body = {name: good.get(name, value) for name, value in case.body.items()}


def feed_query(case: Case, world: World) -> None:
    """Good values for what is asked."""
    query = case.query or {}
    if {"start", "end", "available"} & set(query):
        query.update(start=text(at(0, day=2)), end=text(at(0, day=9)))
    good = {"resource": world.room.pk, "user": world.owner.pk, "timezone": "Europe/Berlin"}
    if case.path.endswith("/slots/"):
        good["cursor"] = text(at(6, day=2))
    elif "cursor" in query:
        # It is good for the list that it comes from.
        case.query = world.next_page(case) or query
    query.update({name: value for name, value in good.items() if name in query})
