"""Whom limits take for the same client: what proxies say, and how addresses are written."""

import pytest

from core.tests.support.limits import ADMIN, RESOURCES, assert_limited, at_address, sign_in


def test_a_forged_header_is_no_way_around(limit, db):
    limit(proxies=0, anonymous="1/min")

    assert at_address("192.0.2.1", forwarded="198.51.100.1").get(RESOURCES).status_code == 200
    assert_limited(at_address("192.0.2.1", forwarded="198.51.100.2").get(RESOURCES))


def test_behind_a_trusted_proxy_its_own_entry_counts(limit, db):
    limit(proxies=1, anonymous="1/min")

    assert at_address("10.0.0.1", forwarded="198.51.100.1").get(RESOURCES).status_code == 200
    assert at_address("10.0.0.1", forwarded="198.51.100.2").get(RESOURCES).status_code == 200
    assert_limited(at_address("10.0.0.1", forwarded="203.0.113.9, 198.51.100.1").get(RESOURCES))


def test_the_admins_form_looks_at_the_same_address(limit, db):
    limit(proxies=1, sign_in="1/min")

    assert sign_in(at_address("10.0.0.1", forwarded="198.51.100.1"), ADMIN, "alice").status_code == 200
    assert sign_in(at_address("10.0.0.1", forwarded="198.51.100.2"), ADMIN, "bob").status_code == 200
    assert sign_in(at_address("10.0.0.1", forwarded="x, 198.51.100.1"), ADMIN, "carla").status_code == 429


def test_a_call_that_came_by_no_proxy_counts_by_its_own_address(limit, db):
    limit(proxies=2, anonymous="1/min")

    assert at_address("192.0.2.1").get(RESOURCES).status_code == 200
    assert_limited(at_address("192.0.2.1").get(RESOURCES))


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("2001:db8::1", "2001:db8::ffff:1:2:3", id="one network of IPv6"),
        pytest.param("2001:db8::1", "2001:DB8:0:0:0:0:0:1", id="spellings of IPv6"),
        pytest.param("2001:db8::1", "[2001:db8::1]", id="brackets"),
        pytest.param("[2001:db8::1]:40000", "[2001:db8::1]:40001", id="ports of IPv6"),
        pytest.param("203.0.113.3", "203.0.113.3:40000", id="a port"),
        pytest.param("203.0.113.3:40000", "203.0.113.3:40001", id="ports"),
        pytest.param("203.0.113.3", "::ffff:203.0.113.3", id="IPv4 within IPv6"),
        pytest.param("203.0.113.3", "[::FFFF:cb00:7103]:40000", id="IPv4 within IPv6, with a port"),
        pytest.param("fe80::1%eth0", "fe80::2", id="an interface"),
        pytest.param("_hidden", "_hidden", id="a name"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_client_is_the_same_however_it_is_written(limit, db, one, other, proxies):
    limit(proxies=proxies, anonymous="1/min")
    first, second = [
        at_address("10.0.0.1", forwarded=address) if proxies else at_address(address) for address in (one, other)
    ]

    assert first.get(RESOURCES).status_code == 200
    assert_limited(second.get(RESOURCES))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("2001:db8::1", "2001:db8:0:1::1", id="networks of IPv6"),
        pytest.param("203.0.113.3", "203.0.113.4", id="addresses of IPv4"),
        pytest.param("::ffff:203.0.113.3", "::ffff:203.0.113.4", id="addresses of IPv4 within IPv6"),
        pytest.param("_hidden", "_other", id="names"),
        pytest.param("203.0.113.3:x", "203.0.113.3", id="what is no port"),
    ],
)
def test_other_clients_are_others(limit, db, one, other):
    limit(proxies=1, anonymous="1/min")

    assert at_address("10.0.0.1", forwarded=one).get(RESOURCES).status_code == 200
    assert at_address("10.0.0.1", forwarded=other).get(RESOURCES).status_code == 200
