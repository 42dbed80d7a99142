"""The API does what its description says, tried by a machine: thousands of calls made up from `openapi.yaml`.

Every operation is called as anonymous, as a user and as staff (those about accounts as a superuser, too), with data
that fits the description and with data that does not. `make fuzz` does it for longer, with calls that differ each time.
Two of Schemathesis' checks are adapted, and no other:

- `positive_data_acceptance`: a 400 with a documented `code` is an expected answer to data that fits the schema. Whether
  a slot is free, a password good or a name taken is no matter of form. (That the code is documented is checked by
  `response_schema_conformance`: it is an enum there.) The same goes for a version in `If-Match` that is not the
  current one (412), and for a key that was used for another body (422). The dry run of a booking answers 200 with `ok`
  false where booking would answer 400; so that is its refusal of data that does not fit.
- `use_after_free`: DELETE of a booking cancels it, so it can be read after. It stays in force for all the rest.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import negative_data_rejection, use_after_free

from core.tests.environment import ROOT
from core.tests.fuzz_world import World, feed, feed_body, feed_query, make_world

pytestmark = pytest.mark.fuzz

ROLES = ("anonymous", "user", "staff")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
REFUSALS = EXAMPLES // 3
FIXED = "FUZZ_EXAMPLES" not in os.environ
EXPECTED = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422", "429"]


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The project behind the proxy of production."""
    return wsgi({**environ, "HTTP_X_FORWARDED_PROTO": "https"}, start_response)


wsgi = get_wsgi_application()
load_all_checks()


def described(*, forms: bool = True) -> Any:
    """The description, loaded to be called; without the bodies that are forms where so said."""
    document = yaml.load((ROOT / "openapi.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    document["servers"] = [{"url": "http://localhost/"}]
    for operation in (one for path in document["paths"].values() for one in path.values()):
        content = operation.get("requestBody", {}).get("content", {})
        for media_type in () if forms else ("application/x-www-form-urlencoded", "multipart/form-data"):
            content.pop(media_type, None)
    loaded = schemathesis.openapi.from_dict(document)
    loaded.app = application
    loaded.config.checks.positive_data_acceptance.expected_statuses = EXPECTED
    return loaded


def by_name(schema: Any) -> dict[str, Any]:
    return {found.ok().definition.raw["operationId"]: found.ok() for found in schema.get_all_operations()}


SCHEMA = described()
OPERATIONS = by_name(SCHEMA)
# A form knows text alone, and an empty field of it is one that was left out: what does not fit is tried as JSON.
JSON_ALONE = described(forms=False)
WITHOUT_FORMS = by_name(JSON_ALONE)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Calls happen inside the test's transaction, so they must not close its connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Refusals are what is wanted here."""
    caplog.set_level("ERROR", "booking_system_api.middleware")


def settings_for(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=FIXED,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )


def judge(case: Case, response: Any, world: World, **more: Any) -> None:
    """All checks but those that this module's own words explain."""
    excluded = [use_after_free] if case.path.startswith("/api/bookings/{id}") else []
    name = case.operation.definition.raw["operationId"]
    if name == "checkBooking" and response.status_code == 200 and not response.json()["ok"]:
        excluded.append(negative_data_rejection)
    case.validate_response(
        response,
        headers=world.headers(),
        excluded_checks=excluded,
        transport_kwargs={"headers": world.headers()},
        **more,
    )


def try_out(case: Case, world: World) -> None:
    """Make one call, judge its answer, and undo what it did."""
    with transaction.atomic():
        feed(case, world)
        response = case.call(headers=world.headers())
        judge(case, response, world)
        group = response.status_code // 100
        world.answers[group] = world.answers.get(group, 0) + 1
        transaction.set_rollback(True)


def try_all(cases: st.SearchStrategy[Case], examples: int, world: World) -> None:
    """Make so many calls."""

    @settings_for(examples)
    @given(case=cases)
    def each(case: Case) -> None:
        try_out(case, world)

    each()


@pytest.mark.django_db
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_as_described(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    operation = OPERATIONS[name]
    shares = {}
    about_accounts = "Accounts" in operation.definition.raw["tags"]
    for role in (*ROLES, *(["superuser"] if about_accounts else [])):
        with transaction.atomic():
            world = make_world(role)

            try_all(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), EXAMPLES, world)
            shares[role] = f"{world.answers.get(2, 0) / sum(world.answers.values()):.0%}"
            if varied(operation):
                assert sum(world.answers.values()) >= EXAMPLES
                wrong = WITHOUT_FORMS[name].as_strategy(generation_mode=GenerationMode.NEGATIVE)
                try_all(wrong, REFUSALS, world)
            transaction.set_rollback(True)
    with capsys.disabled():
        os.write(1, f"{name:24} 2xx: {', '.join(f'{role} {share}' for role, share in shares.items())}\n".encode())
    assert any(share != "0%" for share in shares.values()), shares


def varied(operation: Any) -> bool:
    """Whether there is anything in a call that can be varied."""
    return bool(operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"))


def test_calls_that_follow_each_other_agree(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    followed: dict[str, int] = {}

    class Walk(JSON_ALONE.as_state_machine()):
        """What was made is read, changed and removed, by the links of the description."""

        def setup(self) -> None:
            self.undo = transaction.atomic()
            self.undo.__enter__()
            self.world = make_world("staff")

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            super().teardown()

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": self.world.headers()}

        def before_call(self, case: Case) -> None:
            self.world.calls += 1
            if case.meta is None or not case.meta.generation.mode.is_negative:
                feed_body(case, self.world)
                feed_query(case.query or {}, self.world)
            if "If-Match" in (case.headers or {}):
                case.headers["If-Match"] = "*"

        def after_call(self, response: Any, case: Case) -> None:
            super().after_call(response, case)
            if response.status_code < 300:
                name = case.operation.definition.raw["operationId"]
                followed[name] = followed.get(name, 0) + 1

        def validate_response(self, response: Any, case: Case, *args: Any, **kwargs: Any) -> None:
            judge(case, response, self.world, recorder=self.recorder)

    Walk.run(settings=settings(settings_for(EXAMPLES), stateful_step_count=8))
    with capsys.disabled():
        os.write(1, f"walks, 2xx: {followed}\n".encode())
    assert {"createBooking", "createResource", "createCalendarFeed"} <= set(followed)
    assert {"getBooking", "changeBooking", "cancelBooking", "getBookingCalendar"} & set(followed)
