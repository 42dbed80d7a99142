"""How often a calendar feed may be read, per feed and per address."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.api import counters
from core.tests.calendars.test_feeds import make_feed
from core.tests.support.limits import at_address
from core.tests.support.parallel import in_parallel


def guess(client: APIClient, number: int) -> HttpResponse:
    """The answer to a wrong secret."""
    return client.get(f"/calendars/{number:043}.ics")


def test_a_feed_is_read_only_so_often_from_all_addresses_together(limit, as_alice: APIClient) -> None:
    limit(calendar="2/min")
    path, other = make_feed(as_alice), make_feed(as_alice)
    assert [at_address(f"192.0.2.{number}").get(path).status_code for number in range(3)] == [200, 200, 429]
    assert at_address("192.0.2.2").get(other).status_code == 200


def test_a_refusal_is_text_that_says_when_to_come_back_and_asks_the_database_nothing(
    limit, as_alice: APIClient, anonymous: APIClient
) -> None:
    limit(calendar="1/min")
    path = make_feed(as_alice)
    assert anonymous.get(path).headers["RateLimit-Policy"] == '"calendar";q=1;w=60'
    with CaptureQueriesContext(connection) as statements:
        refused = anonymous.get(path)
    assert (refused.status_code, len(statements)) == (429, 0)
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] in refused.content.decode()
    assert refused.headers["RateLimit"].startswith('"calendar";r=0;')


def test_answers_without_a_body_count_too(limit, as_alice: APIClient, anonymous: APIClient) -> None:
    limit(calendar="3/min")
    path = make_feed(as_alice)
    tag = anonymous.get(path).headers["ETag"]
    assert anonymous.get(path, HTTP_IF_NONE_MATCH=tag).headers["RateLimit"].startswith('"calendar";r=1;')
    assert anonymous.head(path).status_code == 200
    assert anonymous.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 429


def test_other_methods_do_not_count(limit, as_alice: APIClient, anonymous: APIClient) -> None:
    limit(calendar="1/min")
    path = make_feed(as_alice)
    assert [anonymous.post(path).status_code for _ in range(3)] == [405] * 3
    assert anonymous.get(path).status_code == 200


def test_an_address_reads_ten_times_as_often_and_guesses_count(limit, as_alice: APIClient) -> None:
    limit(calendar="1/min")
    path = make_feed(as_alice)
    client = at_address("192.0.2.1")
    assert [guess(client, number).status_code for number in range(10)] == [404] * 10
    refused = client.get(path)
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == '"calendar_address";q=10;w=60'
    assert at_address("192.0.2.2").get(path).status_code == 200


def test_an_address_over_its_limit_makes_no_counters(limit, db: None) -> None:
    limit(calendar="1/min")
    client = at_address("192.0.2.1")
    statuses = [guess(client, number).status_code for number in range(15)]
    assert statuses == [404] * 10 + [429] * 5
    assert sum(map(len, counters.store.counters.values())) == 11


def test_without_a_limit_there_is_none(limit, as_alice: APIClient, anonymous: APIClient) -> None:
    limit(calendar=None)
    path = make_feed(as_alice)
    answers = [anonymous.get(path) for _ in range(70)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[-1].headers


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_no_more_than_the_quota_are_let_through(limit, as_alice: APIClient, alice: User) -> None:
    limit(calendar="3/min")
    path = make_feed(as_alice)
    clients = [at_address(f"192.0.2.{number}") for number in range(8)]
    answers = in_parallel([lambda client=client: client.get(path).status_code for client in clients])
    assert sorted(answers) == [200] * 3 + [429] * 5
