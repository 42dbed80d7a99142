"""Who may do what: every method of every address, for each kind of caller."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from rest_framework_simplejwt.tokens import RefreshToken

from core.calendars.models import CalendarFeed
from core.models import (
    Booking,
    Closure,
    OpeningException,
    OpeningHours,
    Quota,
    Resource,
    ResourcePolicy,
    Series,
    SkippedDate,
    UserProfile,
)
from core.tests.support.clients import client_of
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, at, make_booking, text
from core.tests.support.routes import ROUTES, routes
from core.tests.support.series import make_series

FAR = date(2031, 1, 1)
CALLERS = ("anonymous", "stranger", "owner", "staff", "superuser")

SLOT = {"start_time": text(at(14)), "end_time": text(at(15))}
DAY = "?start=" + text(at(0)) + "&end=" + text(at(24))
WEEK = [{"weekday": 1, "opens": "09:00", "closes": "17:00"}]
CLOSED_DAY = {"first_day": "2030-12-24", "last_day": "2030-12-26"}
REGISTRATION = {"username": "carol", "email": "carol@example.org", "password": PASSWORD}
NEW_PASSWORD = {"current_password": PASSWORD, "new_password": "another-horse-9-battery"}
FAREWELL = {"current_password": PASSWORD}
CLOSURE = {**SLOT, "resources": ["{closable}"], "reason": "Paint"}
CONFIRMED = {"action": "confirm", "ids": ["{booking}"]}
SERIES = {**SLOT, "resource": "{resource}", "rrule": "FREQ=DAILY;COUNT=2"}
PICTURE = {"profile_picture": "https://example.org/a.png"}
SIGN_IN = {"username": "alice", "password": PASSWORD}

# Alice owns the booking and the account of the addresses; a method that is not there is a 405 for those who would
# be let in. Words in braces are ids of what the test makes.
TABLE: list[tuple[str, str, Any, tuple[int, int, int, int, int]]] = [
    # method, address, body                                   anonymous, stranger, owner, staff, superuser
    ("GET", "/api/", {}, (200, 200, 200, 200, 200)),
    ("OPTIONS", "/api/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/house/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/house/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/schema/", {}, (200, 200, 200, 200, 200)),
    ("GET", "/api/docs/", {}, (200, 200, 200, 200, 200)),
    ("GET", "/api/redoc/", {}, (200, 200, 200, 200, 200)),
    ("GET", "/api/nothing/", {}, (404, 404, 404, 404, 404)),
    ("POST", "/api/nothing/", {}, (404, 404, 404, 404, 404)),
    ("GET", "/api/resources/", {}, (200, 200, 200, 200, 200)),
    ("HEAD", "/api/resources/", {}, (200, 200, 200, 200, 200)),
    ("OPTIONS", "/api/resources/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/", {"name": "Desk"}, (401, 403, 403, 201, 201)),
    ("PUT", "/api/resources/", {}, (401, 403, 403, 405, 405)),
    ("PATCH", "/api/resources/", {}, (401, 403, 403, 405, 405)),
    ("DELETE", "/api/resources/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/resources/{resource}/", {}, (200, 200, 200, 200, 200)),
    ("HEAD", "/api/resources/{resource}/", {}, (200, 200, 200, 200, 200)),
    ("OPTIONS", "/api/resources/{resource}/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/{resource}/", {}, (401, 403, 403, 405, 405)),
    ("PUT", "/api/resources/{resource}/", {"name": "Desk"}, (401, 403, 403, 200, 200)),
    ("PATCH", "/api/resources/{resource}/", {"name": "Desk"}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/resources/{resource}/", {}, (401, 403, 403, 204, 204)),
    ("DELETE", "/api/resources/{booked}/", {}, (401, 403, 403, 409, 409)),
    ("GET", "/api/resources/availability/" + DAY, {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/availability/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/resources/{resource}/availability/" + DAY, {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/{resource}/availability/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/resources/{resource}/slots/" + DAY + "&duration=60", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/{resource}/slots/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/resources/{resource}/policy/", {}, (200, 200, 200, 200, 200)),
    ("PUT", "/api/resources/{resource}/policy/", {"max_minutes": 60}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/resources/{resource}/policy/", {}, (401, 403, 403, 204, 204)),
    ("POST", "/api/resources/{resource}/policy/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/resources/{resource}/opening-hours/", {}, (200, 200, 200, 200, 200)),
    ("PUT", "/api/resources/{resource}/opening-hours/", WEEK, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/resources/{resource}/opening-hours/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/resources/{resource}/open/" + DAY, {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/{resource}/open/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/resources/{booked}/opening-exceptions/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/resources/{booked}/opening-exceptions/", CLOSED_DAY, (401, 403, 403, 201, 201)),
    ("GET", "/api/resources/{booked}/opening-exceptions/{own_exception}/", {}, (200, 200, 200, 200, 200)),
    ("PATCH", "/api/resources/{booked}/opening-exceptions/{own_exception}/", {"name": "x"}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/resources/{booked}/opening-exceptions/{own_exception}/", {}, (401, 403, 403, 204, 204)),
    ("PUT", "/api/resources/{booked}/opening-exceptions/{own_exception}/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/opening-exceptions/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/opening-exceptions/", CLOSED_DAY, (401, 403, 403, 201, 201)),
    ("GET", "/api/opening-exceptions/{exception}/", {}, (200, 200, 200, 200, 200)),
    ("PATCH", "/api/opening-exceptions/{exception}/", {"name": "x"}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/opening-exceptions/{exception}/", {}, (401, 403, 403, 204, 204)),
    ("GET", "/api/quotas/", {}, (401, 403, 403, 200, 200)),
    ("POST", "/api/quotas/", {"kind": "active", "limit": "3"}, (401, 403, 403, 201, 201)),
    ("GET", "/api/quotas/{quota}/", {}, (401, 403, 403, 200, 200)),
    ("PATCH", "/api/quotas/{quota}/", {"limit": "4"}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/quotas/{quota}/", {}, (401, 403, 403, 204, 204)),
    ("GET", "/api/profile/quotas/", {}, (401, 200, 200, 200, 200)),
    ("POST", "/api/profile/quotas/", {}, (401, 405, 405, 405, 405)),
    ("GET", "/api/availability/" + DAY + "&duration=60", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/availability/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/closures/", {}, (200, 200, 200, 200, 200)),
    ("POST", "/api/closures/", CLOSURE, (401, 403, 403, 201, 201)),
    ("DELETE", "/api/closures/", {}, (401, 403, 403, 405, 405)),
    ("POST", "/api/closures/preview/", CLOSURE, (401, 403, 403, 200, 200)),
    ("GET", "/api/closures/preview/", {}, (405, 405, 405, 405, 405)),
    ("GET", "/api/closures/{closure}/", {}, (200, 200, 200, 200, 200)),
    ("PUT", "/api/closures/{closure}/", CLOSURE, (401, 403, 403, 405, 405)),
    ("PATCH", "/api/closures/{closure}/", {"reason": "Paint"}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/closures/{closure}/", {}, (401, 403, 403, 204, 204)),
    ("GET", "/api/bookings/", {}, (401, 200, 200, 200, 200)),
    ("HEAD", "/api/bookings/", {}, (401, 200, 200, 200, 200)),
    ("OPTIONS", "/api/bookings/", {}, (401, 200, 200, 200, 200)),
    ("POST", "/api/bookings/", {"resource": "{resource}", **SLOT}, (401, 201, 201, 201, 201)),
    ("PUT", "/api/bookings/", {}, (401, 405, 405, 405, 405)),
    ("PATCH", "/api/bookings/", {}, (401, 405, 405, 405, 405)),
    ("DELETE", "/api/bookings/", {}, (401, 405, 405, 405, 405)),
    ("POST", "/api/bookings/check/", {"resource": "{resource}", **SLOT}, (401, 200, 200, 200, 200)),
    ("GET", "/api/bookings/check/", {}, (401, 405, 405, 405, 405)),
    ("POST", "/api/bookings/bulk/", CONFIRMED, (401, 403, 403, 200, 200)),
    ("POST", "/api/bookings/bulk/", {"bookings": []}, (401, 403, 403, 400, 400)),
    ("GET", "/api/bookings/bulk/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/bookings/{booking}/", {}, (401, 403, 200, 200, 200)),
    ("HEAD", "/api/bookings/{booking}/", {}, (401, 403, 200, 200, 200)),
    ("OPTIONS", "/api/bookings/{booking}/", {}, (401, 200, 200, 200, 200)),
    ("POST", "/api/bookings/{booking}/", {}, (401, 405, 405, 405, 405)),
    ("PUT", "/api/bookings/{booking}/", {"resource": "{booked}", **SLOT}, (401, 403, 200, 200, 200)),
    ("PATCH", "/api/bookings/{booking}/", {"notes": "x"}, (401, 403, 200, 200, 200)),
    ("DELETE", "/api/bookings/{booking}/", {}, (401, 403, 204, 204, 204)),
    ("PATCH", "/api/bookings/{ended}/", {"notes": "x"}, (401, 403, 403, 200, 200)),
    ("DELETE", "/api/bookings/{ended}/", {}, (401, 403, 403, 204, 204)),
    ("GET", "/api/bookings/999999/", {}, (401, 404, 404, 404, 404)),
    ("GET", "/api/profile/picture/", {}, (401, 405, 405, 405, 405)),
    ("PUT", "/api/profile/picture/", PICTURE, (401, 200, 200, 200, 200)),
    ("PATCH", "/api/profile/picture/", PICTURE, (401, 200, 200, 200, 200)),
    ("DELETE", "/api/profile/picture/", {}, (401, 405, 405, 405, 405)),
    ("DELETE", "/api/profile/picture/delete/", {}, (401, 200, 200, 200, 200)),
    ("POST", "/api/profile/picture/delete/", {}, (401, 405, 405, 405, 405)),
    ("GET", "/api/profile/preferences/", {}, (401, 200, 200, 200, 200)),
    ("PATCH", "/api/profile/preferences/", {"time_zone": "Asia/Tokyo"}, (401, 200, 200, 200, 200)),
    ("DELETE", "/api/profile/preferences/", {}, (401, 405, 405, 405, 405)),
    ("POST", "/api/profile/confirm-email/", {}, (401, 204, 204, 204, 204)),
    ("GET", "/api/profile/confirm-email/", {}, (401, 405, 405, 405, 405)),
    ("POST", "/api/auth/users/", REGISTRATION, (201, 201, 201, 201, 201)),
    ("GET", "/api/auth/users/", {}, (401, 403, 403, 403, 200)),
    ("GET", "/api/auth/users/me/", {}, (401, 200, 200, 200, 200)),
    ("PUT", "/api/auth/users/me/", {"first_name": "A"}, (401, 200, 200, 200, 200)),
    ("PATCH", "/api/auth/users/me/", {"first_name": "A"}, (401, 200, 200, 200, 200)),
    ("DELETE", "/api/auth/users/me/", FAREWELL, (401, 204, 204, 204, 204)),
    ("POST", "/api/auth/users/me/", {}, (401, 405, 405, 405, 405)),
    ("GET", "/api/auth/users/{alice}/", {}, (401, 403, 200, 403, 200)),
    ("PUT", "/api/auth/users/{alice}/", {"first_name": "A"}, (401, 403, 200, 403, 200)),
    ("PATCH", "/api/auth/users/{alice}/", {"first_name": "A"}, (401, 403, 200, 403, 200)),
    ("DELETE", "/api/auth/users/{alice}/", FAREWELL, (401, 403, 204, 403, 204)),
    ("DELETE", "/api/auth/users/{root}/", FAREWELL, (401, 403, 403, 403, 204)),
    ("PATCH", "/api/auth/users/{root}/", {"first_name": "A"}, (401, 403, 403, 403, 200)),
    ("POST", "/api/auth/users/set_password/", NEW_PASSWORD, (401, 204, 204, 204, 204)),
    ("POST", "/api/auth/users/reset_password/", {"email": "alice@example.org"}, (204, 204, 204, 204, 204)),
    ("POST", "/api/auth/users/reset_password_confirm/", {}, (400, 400, 400, 400, 400)),
    ("TRACE", "/api/auth/users/reset_password/", {}, (405, 405, 405, 405, 405)),
    ("TRACE", "/api/auth/users/reset_password_confirm/", {}, (405, 405, 405, 405, 405)),
    ("POST", "/api/auth/users/activation/", {}, (404, 404, 404, 404, 404)),
    ("POST", "/api/auth/users/resend_activation/", {}, (404, 404, 404, 404, 404)),
    ("POST", "/api/auth/users/set_username/", {}, (404, 404, 404, 404, 404)),
    ("POST", "/api/auth/users/reset_username/", {}, (404, 404, 404, 404, 404)),
    ("POST", "/api/auth/users/reset_username_confirm/", {}, (404, 404, 404, 404, 404)),
    ("POST", "/api/auth/token/login/", SIGN_IN, (200, 200, 200, 200, 200)),
    ("GET", "/api/auth/token/login/", {}, (405, 405, 405, 405, 405)),
    ("POST", "/api/auth/token/logout/", {}, (401, 204, 204, 204, 204)),
    ("POST", "/api/auth/jwt/create/", SIGN_IN, (200, 200, 200, 200, 200)),
    ("POST", "/api/auth/jwt/refresh/", {"refresh": "{refresh}"}, (200, 200, 200, 200, 200)),
    ("POST", "/api/auth/jwt/verify/", {"token": "{refresh}"}, (200, 200, 200, 200, 200)),
    ("POST", "/api/auth/jwt/logout/", {"refresh": "{refresh}"}, (204, 204, 204, 204, 204)),
    ("GET", "/api/bookings/{booking}/calendar.ics", {}, (401, 403, 200, 200, 200)),
    ("GET", "/api/series/{series}/calendar.ics", {}, (401, 403, 200, 200, 200)),
    ("GET", "/api/bookings/{booking}/history/", {}, (401, 403, 200, 200, 200)),
    ("POST", "/api/bookings/{booking}/history/", {}, (401, 405, 405, 405, 405)),
    ("GET", "/api/bookings/999999/history/", {}, (401, 404, 404, 404, 404)),
    ("GET", "/api/series/", {}, (401, 200, 200, 200, 200)),
    ("POST", "/api/series/", SERIES, (401, 201, 201, 201, 201)),
    ("PUT", "/api/series/", {}, (401, 405, 405, 405, 405)),
    ("POST", "/api/series/check/", SERIES, (401, 200, 200, 200, 200)),
    ("GET", "/api/series/check/", {}, (401, 405, 405, 405, 405)),
    ("GET", "/api/series/{series}/", {}, (401, 403, 200, 200, 200)),
    ("GET", "/api/series/{series}/dates/", {}, (401, 403, 200, 200, 200)),
    ("PUT", "/api/series/{series}/", {}, (401, 405, 405, 405, 405)),
    ("PATCH", "/api/series/{series}/", {"notes": "x"}, (401, 403, 200, 200, 200)),
    ("DELETE", "/api/series/{series}/", {}, (401, 403, 204, 204, 204)),
    ("POST", "/api/series/{series}/cancel/", {"ids": ["{date}"]}, (401, 403, 200, 200, 200)),
    ("POST", "/api/series/{series}/cancel/", {}, (401, 403, 400, 400, 400)),
    ("GET", "/api/series/999999/", {}, (401, 404, 404, 404, 404)),
    ("PATCH", "/api/bookings/{date}/?scope=all", {"notes": "x"}, (401, 403, 200, 200, 200)),
    ("DELETE", "/api/bookings/{date}/?scope=following", {}, (401, 403, 204, 204, 204)),
    ("GET", "/api/reports/utilisation/?from=2030-01-01&to=2030-01-07", {}, (401, 403, 403, 200, 200)),
    ("POST", "/api/reports/utilisation/", {}, (401, 403, 403, 405, 405)),
    ("GET", "/api/calendar-feeds/", {}, (401, 200, 200, 200, 200)),
    ("POST", "/api/calendar-feeds/", {}, (401, 201, 201, 201, 201)),
    ("GET", "/api/calendar-feeds/{feed}/", {}, (401, 404, 200, 404, 404)),
    ("DELETE", "/api/calendar-feeds/{feed}/", {}, (401, 404, 204, 404, 404)),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses"),
    [pytest.param(*row, id=f"{row[0]} {row[1].split('?')[0]}") for row in TABLE],
)
def test_who_may_do_what(
    alice: User,
    bob: User,
    admin: User,
    root: User,
    room: Resource,
    lab: Resource,
    method: str,
    path: str,
    body: Any,
    statuses: tuple[int, ...],
) -> None:
    series = make_series(client_of(alice), room, start=at(18))
    ids = {
        "series": series["id"],
        "date": series["made"][0]["id"],
        "alice": alice.pk,
        "root": root.pk,
        "resource": lab.pk,
        "booked": room.pk,
        "booking": make_booking(alice, room).pk,
        "ended": make_booking(alice, room, at(10, day=-1)).pk,
        "closable": room.pk,
        "closure": make_closure(admin, room, start=at(16)).pk,
        "feed": CalendarFeed.objects.create(user=alice, secret_hash="0" * 64).pk,
        "exception": OpeningException.objects.create(first_day=FAR, last_day=FAR).pk,
        "own_exception": OpeningException.objects.create(first_day=FAR, last_day=FAR, resource=room).pk,
        "quota": Quota.objects.create(kind="active", limit=9).pk,
        "refresh": str(RefreshToken.for_user(alice)),
    }
    sent: Any = {name: filled(value, ids) for name, value in body.items()} if isinstance(body, dict) else body
    before = what_is_stored()
    answers = {}

    for caller, user in zip(CALLERS, (None, bob, alice, admin, root), strict=True):
        # What one caller does is undone for the next one.
        with transaction.atomic():
            answer = getattr(client_of(user), method.lower())(path.format(**ids), sent or None)
            changed = answer.status_code >= 400 and what_is_stored() != before
            transaction.set_rollback(True)
        answers[caller] = answer.status_code
        if answer.status_code >= 400:
            assert not changed, caller
            if method != "HEAD":
                assert_flat_error(answer, answer.status_code)

    assert answers == dict(zip(CALLERS, statuses, strict=True))


def filled(value: Any, ids: dict[str, Any]) -> Any:
    """A value of a body with the ids of what the test makes."""
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    return value.format(**ids) if isinstance(value, str) else value


def what_is_stored() -> list[list[dict]]:
    return [list(model._base_manager.order_by("pk").values()) for model in MODELS]


RULES = (ResourcePolicy, OpeningHours, OpeningException, Quota)
MODELS = (User, UserProfile, Resource, Booking, CalendarFeed, Closure, Series, SkippedDate, *RULES)
OF_ACCOUNTS = ("alice", "root", "feed", "refresh")
OF_BOOKINGS = ("booking", "ended", "series", "date")
PLACES = (*OF_ACCOUNTS, *OF_BOOKINGS, "resource", "booked", "exception", "own_exception", "quota", "closure")


def test_the_table_has_every_method_of_every_address() -> None:
    patterns = routes()
    asked = {
        (name, method.lower())
        for method, path, *_ in TABLE
        for name, pattern in patterns.items()
        if pattern.fullmatch(path.split("?")[0].format(**dict.fromkeys(PLACES, 1)).lstrip("/"))
    }
    there = {(name, method) for name, (_, methods) in ROUTES.items() for method in methods.split()}
    assert there - asked == set()
