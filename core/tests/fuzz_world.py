"""What a fuzzed call may meet: people, things, tokens and free slots, and how a generated call gets some of them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from djoser.utils import encode_uid
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import RefreshToken
from schemathesis import Case

from core.calendars.models import CalendarFeed
from core.models import Booking, Resource
from core.tests.factories import PASSWORD, at, make_booking, make_resource, make_user, text

# Every so many calls are left as they were generated.
UNTOUCHED = 5


@dataclass
class World:
    """One of each, all of them the caller's own where somebody calls."""

    caller: User | None
    owner: User
    room: Resource
    booking: Booking
    feed: CalendarFeed
    key: str | None
    calls: int = 0
    answers: dict[int, int] = field(default_factory=dict)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.key}"} if self.key else {}

    def path_id(self, path: str) -> int:
        """A real id for an address."""
        places = {"resources": self.room, "bookings": self.booking, "users": self.owner, "calendar-feeds": self.feed}
        return next(thing.pk for name, thing in places.items() if f"/{name}/" in path)

    def slot(self) -> dict[str, str]:
        """A free slot, another one each time."""
        start = at(0, day=2) + timedelta(hours=self.calls)
        return {"start_time": text(start), "end_time": text(start + timedelta(hours=1))}

    def body(self) -> dict[str, Any]:
        """A good value for a field of each name."""
        return {
            **self.slot(),
            "resource": self.room.pk,
            "user": self.owner.pk,
            "id": self.booking.pk,
            "username": f"user{self.calls}",
            "email": f"user{self.calls}@example.org",
            "password": PASSWORD,
            "current_password": PASSWORD,
            "new_password": f"another-horse-{self.calls}",
            "re_new_password": f"another-horse-{self.calls}",
            "profile_picture": "https://images.example.org/a.png",
            "time_zone": "Europe/Berlin",
        }

    def tokens(self, operation: str) -> dict[str, Any]:
        """What is called the same and means something else elsewhere."""
        if operation in ("signIn", "createJwt"):
            return {"username": self.owner.username}
        if operation in ("verifyJwt", "refreshJwt", "voidJwt"):
            token = str(RefreshToken.for_user(self.owner))
            return {"token": token, "refresh": token}
        if operation == "confirmPasswordReset":
            return {"uid": encode_uid(self.owner.pk), "token": default_token_generator.make_token(self.owner)}
        return {}


def make_world(role: str) -> World:
    """The world of a caller."""
    flags = {"staff": {"is_staff": True}, "superuser": {"is_staff": True, "is_superuser": True}}.get(role, {})
    owner = make_user("alice", **flags)
    caller = None if role == "anonymous" else owner
    booked = make_resource("Booked room")
    return World(
        caller=caller,
        owner=owner,
        room=make_resource("Free room"),
        booking=make_booking(owner, booked, at(10)),
        feed=CalendarFeed.objects.create(user=owner, secret_hash="0" * 64),
        key=Token.objects.create(user=owner).key if caller else None,
    )


def feed(case: Case, world: World) -> None:
    """Give a call something real to work on; what was generated to be wrong stays wrong."""
    world.calls += 1
    if world.calls % UNTOUCHED == 0:
        return
    if str((case.path_parameters or {}).get("id", "")).isdecimal():
        case.path_parameters["id"] = world.path_id(case.path)
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"
    if case.meta is None or not case.meta.generation.mode.is_negative:
        if case.path == "/api/schema/":
            # The other form of the same takes long to read.
            case.query = {"format": "json"}
        feed_body(case, world)
        feed_query(case.query or {}, world)


def feed_body(case: Case, world: World) -> None:
    """Good values for what is sent."""
    if not isinstance(case.body, dict):
        return
    operation = case.operation.definition.raw["operationId"]
    good = {**world.body(), **world.tokens(operation)}
    case.body = {name: good.get(name, value) for name, value in case.body.items() if name != "status"}
    if operation == "checkBooking" and world.calls % 2:
        case.body.pop("id", None)
    if operation == "createCalendarFeed":
        case.body.pop("names", None)


def feed_query(query: Any, world: World) -> None:
    """Good values for what is asked."""
    for name in ("cursor", "available"):
        query.pop(name, None)
    if {"start", "end"} & set(query):
        query.update(start=text(at(0, day=2)), end=text(at(0, day=9)))
    for name, value in {"resource": world.room.pk, "user": world.owner.pk, "timezone": "Europe/Berlin"}.items():
        if name in query:
            query[name] = value
