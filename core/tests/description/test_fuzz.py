"""The API does what its description says, tried by a machine: thousands of calls made up from `openapi.yaml`.

Every operation is called by anonymous, a user and staff (those about accounts by a superuser, too), with data that fits
the description and with data that does not; those who may do most also try all that is at the edge of what it allows.
`make fuzz` does it for longer, with calls that differ each time. `schemathesis.toml` has the checks that are adapted.
"""

import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import negative_data_rejection
from schemathesis.transport import SerializationContext
from schemathesis.transport.requests import multipart_serializer
from schemathesis.transport.wsgi import WSGI_TRANSPORT

from core.tests.support.described import document, operations
from core.tests.support.forgiven import is_forgiven
from core.tests.support.fuzz_world import ROLES, World, feed, feed_headers, feed_values, make_world

pytestmark = pytest.mark.fuzz

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "35"))
REFUSALS = EXAMPLES * 3 // 10
FIXED = "FUZZ_EXAMPLES" not in os.environ
# None: another one each time.
SEEDS = (1, 2, 3, 4, 5) if FIXED else (None,)
# Of all calls of an operation, for whoever may make it.
LEAST_SHARE = 0.1
DOCUMENT = document()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The project behind the proxy of production."""
    return wsgi({**environ, "HTTP_X_FORWARDED_PROTO": "https"}, start_response)


wsgi = get_wsgi_application()
load_all_checks()


@WSGI_TRANSPORT.serializer("multipart/form-data")
def multipart(context: SerializationContext, value: Any) -> dict[str, Any]:
    """A form as it goes over the network; Werkzeug's encoder leaves out the end of the line after an empty field."""
    sent = requests.Request("POST", "http://localhost/", **multipart_serializer(context, value)).prepare()
    return {"data": sent.body, "content_type": sent.headers["Content-Type"]}


def described() -> Any:
    """The description, loaded to be called; without gunicorn's answers, every status must be one that is named."""
    called = {**deepcopy(DOCUMENT), "servers": [{"url": "http://localhost/"}]}
    for _, _, operation in operations(called):
        operation["responses"].pop("default", None)
    loaded = schemathesis.openapi.from_dict(called)
    loaded.app = application
    return loaded


def by_name(schema: Any) -> dict[str, Any]:
    return {found.ok().definition.raw["operationId"]: found.ok() for found in schema.get_all_operations()}


SCHEMA = described()
OPERATIONS = by_name(SCHEMA)


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
    caplog.set_level("ERROR", "booking_system_api.requests")


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
    """All checks; a call that was made up to be wrong may be a good one."""
    may_be_good = has_forgiven_body(case) if case.media_type == "application/json" else loses_field(case)
    case.validate_response(
        response,
        headers=world.headers(),
        transport_kwargs={"headers": world.headers()},
        excluded_checks=[negative_data_rejection] if may_be_good else [],
        **more,
    )


def loses_field(case: Case) -> bool:
    """Whether a form goes without one of its fields: an empty list, or an object, which Werkzeug takes for a file."""
    is_form = case.media_type is not None and isinstance(case.body, dict)
    return is_form and any(value == [] or isinstance(value, dict) for value in case.body.values())


def has_forgiven_body(case: Case) -> bool:
    """Whether the JSON body is outside of its description in nothing but values that the API forgives."""
    described_body = case.operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json")
    return described_body is not None and is_forgiven(case.body, described_body["schema"], DOCUMENT)


def try_out(case: Case, worlds: list[World], *, values: bool = True) -> None:
    """Make one call as everybody, judge the answers, and undo what it did."""
    for world in worlds:
        mine = again(case)
        with transaction.atomic():
            feed(mine, world, values=values)
            response = mine.call(headers=world.headers())
            try:
                judge(mine, response, world)
            except BaseException as failure:
                failure.add_note(f"As {world.role}.")
                raise
            transaction.set_rollback(True)
        world.answers.append(response.status_code)


def again(case: Case) -> Case:
    """The same call, to be fed for somebody else."""
    return Case(
        case.operation,
        case.method,
        case.path,
        path_parameters=deepcopy(case.path_parameters),
        headers=case.headers.copy(),
        cookies=deepcopy(case.cookies),
        query=deepcopy(case.query),
        body=deepcopy(case.body),
        media_type=case.media_type,
        multipart_content_types=case.multipart_content_types,
        meta=deepcopy(case.meta),
    )


def try_all(cases: st.SearchStrategy[Case], examples: int, worlds: list[World]) -> None:
    """Make so many calls as everybody, with each seed its share."""

    def each(case: Case, number: int) -> None:
        try_out(case, worlds)

    for chosen in SEEDS:
        # The number is for operations that read nothing: Hypothesis stops where all there is was tried.
        test = settings_for(examples // len(SEEDS))(given(case=cases, number=st.integers(0, 2**32))(each))
        (test if chosen is None else seed(chosen)(test))()


def at_the_edge(name: str) -> Iterator[Case]:
    """Each value at the edge of what is allowed, each thing missing or too much, other methods and media types."""
    operation = OPERATIONS[name]
    how = SCHEMA.config.generation_for(operation=operation, phase="coverage")
    return SCHEMA.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=how)


@pytest.mark.django_db
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_as_described(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    operation = OPERATIONS[name]
    about_accounts = "Accounts" in operation.definition.raw["tags"]
    worlds = [make_world(role) for role in (*ROLES, *(["superuser"] if about_accounts else []))]

    try_all(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), EXAMPLES, worlds)
    shares = {world.role: world.share_of_successes() for world in worlds}
    assert all(len(world.answers) >= EXAMPLES for world in worlds)

    if varied(operation):
        wrong = OPERATIONS[name].as_strategy(generation_mode=GenerationMode.NEGATIVE)
        try_all(wrong, REFUSALS, worlds)
        assert all(len(world.answers) >= EXAMPLES + REFUSALS for world in worlds)
    edges = 0
    for case in at_the_edge(name):
        try_out(case, worlds[-1:], values=False)
        edges += 1
    with capsys.disabled():
        told = ", ".join(f"{role} {share:.0%}" for role, share in shares.items())
        os.write(1, f"{name:24} 2xx: {told}; at the edge: {edges}\n".encode())
    assert max(shares.values()) >= LEAST_SHARE, shares


def varied(operation: Any) -> bool:
    """Whether there is anything in a call that can be varied."""
    return bool(operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"))


# What a walk makes, and where it may go on from there.
OF_A_BOOKING = {
    "createBooking": {"getBooking", "changeBooking", "cancelBooking", "getBookingCalendar", "getBookingHistory"}
}
OF_A_FEED = {"createCalendarFeed": {"getCalendarFeed", "deleteCalendarFeed"}}
OF_A_RESOURCE = {"createResource": {"getResource", "changeResource", "deleteResource", "getAvailability", "listSlots"}}
OF_A_CLOSURE = {"closeResources": {"getClosure", "changeClosure", "liftClosure"}}
FOLLOWED = {
    "user": {**OF_A_BOOKING, **OF_A_FEED},
    "staff": {**OF_A_BOOKING, **OF_A_FEED, **OF_A_RESOURCE, **OF_A_CLOSURE},
}


def is_for_staff(context: Any) -> bool:
    """Whether an operation is for staff alone: to a user it answers 403 each time, and nothing can follow."""
    return "For staff." in context.operation.definition.raw.get("description", "")


@pytest.mark.django_db
@pytest.mark.parametrize("role", FOLLOWED)
def test_calls_that_follow_each_other_agree(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    made: dict[str, list[int]] = {}
    may_be_made = SCHEMA if role == "staff" else SCHEMA.exclude(is_for_staff)

    class Walk(may_be_made.as_state_machine()):
        """What was made is read, changed and removed, by the links of the description."""

        def setup(self) -> None:
            self.undo = transaction.atomic()
            self.undo.__enter__()
            self.world = make_world(role)

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            super().teardown()

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": self.world.headers()}

        def before_call(self, case: Case) -> None:
            self.world.calls += 1
            feed_headers(case, self.world)
            feed_values(case, self.world)

        def after_call(self, response: Any, case: Case) -> None:
            super().after_call(response, case)
            made.setdefault(case.operation.definition.raw["operationId"], []).append(response.status_code)

        def validate_response(self, response: Any, case: Case, *args: Any, **kwargs: Any) -> None:
            judge(case, response, self.world, recorder=self.recorder)

    # Many operations share the steps: with fewer walks, what one of them makes is seldom followed.
    Walk.run(settings=settings(settings_for(3 * EXAMPLES), stateful_step_count=8))
    went = {name: sum(status < 300 for status in statuses) for name, statuses in made.items()}
    with capsys.disabled():
        told = ", ".join(f"{name} {went[name]} of {len(made[name])}" for name in sorted(made))
        os.write(1, f"walks of {role}, 2xx: {told}\n".encode())
    succeeded = {name for name, number in went.items() if number}
    for first, others in FOLLOWED[role].items():
        assert first in succeeded
        assert others & succeeded, first
