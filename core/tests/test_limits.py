"""How often somebody may call, per address, per account and per user."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from rest_framework.test import APIClient

from core.tests.conftest import client_of
from core.tests.errors import assert_flat_error
from core.tests.factories import PASSWORD, make_user
from core.tests.mailing import deliver

LOGIN = "/api/auth/token/login/"
JWT = "/api/auth/jwt/create/"
ADMIN = "/admin/login/"
REGISTER = "/api/auth/users/"
RESET = "/api/auth/users/reset_password/"
ME = "/api/auth/users/me/"
RESOURCES = "/api/resources/"


@pytest.fixture
def limit(settings):
    """Sets limits by their scope, and how many proxies are trusted."""

    def limit(proxies=0, **rates):
        framework = settings.REST_FRAMEWORK
        rates = {**framework["DEFAULT_THROTTLE_RATES"], **rates}
        settings.REST_FRAMEWORK = {**framework, "DEFAULT_THROTTLE_RATES": rates, "NUM_PROXIES": proxies}

    return limit


def at_address(address, *, forwarded=None):
    """A client that calls from there."""
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return APIClient(REMOTE_ADDR=address, HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False, **more)


def sign_in(client, path=LOGIN, username="alice", password="wrong"):
    return client.post(
        path, {"username": username, "password": password}, format=None if path != ADMIN else "multipart"
    )


def assert_limited(answer, seconds=60):
    """A flat 429 that says when to come back."""
    body = assert_flat_error(answer, 429, code="throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= seconds
    assert answer.headers["Retry-After"] in body["detail"]


class TestSigningIn:
    @pytest.mark.parametrize(("path", "wrong"), [(LOGIN, 400), (JWT, 401)], ids=["token", "jwt"])
    def test_after_too_many_tries_even_the_right_password_waits(self, limit, alice, path, wrong):
        limit(sign_in="3/min")
        client = at_address("192.0.2.1")

        assert [sign_in(client, path).status_code for _ in range(3)] == [wrong] * 3
        assert_limited(sign_in(client, path, password=PASSWORD))

    def test_good_sign_ins_count_too(self, limit, alice):
        limit(sign_in="2/hour")
        client = at_address("192.0.2.1")

        assert [sign_in(client, password=PASSWORD).status_code for _ in range(2)] == [200, 200]
        assert_limited(sign_in(client, password=PASSWORD), seconds=3600)

    def test_one_address_has_one_count_for_all_doors_and_accounts(self, limit, alice, bob):
        limit(sign_in="3/min")
        client = at_address("192.0.2.1")

        answers = [sign_in(client, LOGIN, "alice"), sign_in(client, JWT, "bob"), sign_in(client, ADMIN, "carla")]

        assert [answer.status_code for answer in answers] == [400, 401, 200]
        assert_limited(sign_in(client, LOGIN, "dora"))
        assert_limited(sign_in(client, JWT, "erik"))
        assert sign_in(client, ADMIN, "fred").status_code == 429

    def test_one_account_has_one_count_for_all_doors_and_addresses(self, limit, alice):
        limit(sign_in="3/min")

        answers = [sign_in(at_address(f"192.0.2.{number}"), path) for number, path in enumerate((LOGIN, JWT, ADMIN))]

        assert [answer.status_code for answer in answers] == [400, 401, 200]
        for number, path in enumerate((LOGIN, JWT), start=10):
            assert_limited(sign_in(at_address(f"192.0.2.{number}"), path, password=PASSWORD))
        assert sign_in(at_address("192.0.2.20"), ADMIN, password=PASSWORD).status_code == 429

    @pytest.mark.parametrize(
        ("username", "other"),
        [
            pytest.param("alice", "ALICE", id="capitals"),
            pytest.param("alice", "  alice ", id="spaces around"),
            pytest.param("alice", "ａｌｉｃｅ", id="full width"),
            pytest.param("Straße", "STRASSE", id="sharp s"),
            pytest.param("4711", 4711, id="a number"),
        ],
    )
    def test_an_account_is_the_same_however_it_is_written(self, limit, db, username, other):
        limit(sign_in="1/min")

        assert sign_in(at_address("192.0.2.1"), username=username).status_code == 400
        assert_limited(sign_in(at_address("192.0.2.2"), username=other))

    def test_another_account_from_another_address_is_free(self, limit, alice, bob):
        limit(sign_in="1/min")
        sign_in(at_address("192.0.2.1"))

        assert sign_in(at_address("192.0.2.2"), username="bob", password=PASSWORD).status_code == 200

    def test_the_admins_form_says_when_to_come_back(self, limit, admin):
        limit(sign_in="1/min")
        client = at_address("192.0.2.1")
        sign_in(client, ADMIN, "admin")

        answer = sign_in(client, ADMIN, "admin", PASSWORD)

        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["Retry-After"] in answer.content.decode()
        assert "_auth_user_id" not in client.session
        assert client.get(ADMIN).status_code == 200

    def test_without_a_limit_there_is_none(self, limit, alice):
        limit(sign_in=None)
        client = at_address("192.0.2.1")

        assert {sign_in(client).status_code for _ in range(40)} == {400}

    @pytest.mark.parametrize("content", [[], "x", 3], ids=repr)
    def test_what_names_no_account_counts_by_its_address(self, limit, db, content):
        limit(sign_in="1/min")
        client = at_address("192.0.2.1")

        assert_flat_error(client.post(LOGIN, content), 400)
        assert_limited(client.post(LOGIN, content))


class TestRegistering:
    def register(self, client, number):
        return client.post(
            REGISTER, {"username": f"user{number}", "email": f"u{number}@example.org", "password": PASSWORD}
        )

    def test_an_address_registers_only_so_often(self, limit, db):
        limit(registration="2/hour")
        client = at_address("192.0.2.1")

        assert [self.register(client, number).status_code for number in (1, 2)] == [201, 201]
        assert_limited(self.register(client, 3), seconds=3600)
        assert User.objects.count() == 2
        assert self.register(at_address("192.0.2.2"), 3).status_code == 201

    def test_superusers_read_the_accounts_at_the_same_address_freely(self, limit, as_root):
        limit(registration="1/hour")

        assert {as_root.get(REGISTER).status_code for _ in range(3)} == {200}


class TestAskingForAReset:
    def test_an_address_asks_only_so_often(self, limit, alice):
        limit(password_reset="2/hour")
        client = at_address("192.0.2.1")

        answers = [client.post(RESET, {"email": f"user{number}@example.org"}) for number in range(2)]

        assert [answer.status_code for answer in answers] == [204, 204]
        assert_limited(client.post(RESET, {"email": "alice@example.org"}), seconds=3600)

    def test_a_mailbox_is_asked_only_so_often(self, limit, alice):
        limit(password_reset="1/hour")
        first = at_address("192.0.2.1").post(RESET, {"email": "alice@example.org"})
        second = at_address("192.0.2.2").post(RESET, {"email": " ALICE@Example.org "})
        deliver()

        assert first.status_code == 204
        assert_limited(second, seconds=3600)
        assert len(mail.outbox) == 1


class TestAllOtherCalls:
    def test_strangers_are_counted_by_address(self, limit, db):
        limit(anonymous="2/min", user="1/min")
        client = at_address("192.0.2.1")

        assert [client.get(path).status_code for path in (RESOURCES, "/api/")] == [200, 200]
        assert_limited(client.get(RESOURCES))
        assert_limited(client.get("/api/nothing/"))
        assert at_address("192.0.2.2").get(RESOURCES).status_code == 200

    def test_users_are_counted_by_user(self, limit, as_alice, as_bob):
        limit(anonymous="1/min", user="2/min")

        assert [as_alice.get(path).status_code for path in (RESOURCES, "/api/bookings/")] == [200, 200]
        assert_limited(as_alice.get("/api/bookings/"))
        assert as_bob.get("/api/bookings/").status_code == 200

    def test_a_users_count_is_the_same_from_every_address(self, limit, alice):
        limit(user="1/min")

        assert client_of(alice).get(RESOURCES, REMOTE_ADDR="192.0.2.1").status_code == 200
        assert_limited(client_of(alice).get(RESOURCES, REMOTE_ADDR="192.0.2.2"))

    def test_reading_ones_own_account_is_never_limited(self, limit, as_alice, anonymous):
        limit(anonymous="1/min", user="1/min")
        as_alice.get(RESOURCES)
        anonymous.get(RESOURCES)

        assert {as_alice.get(ME).status_code for _ in range(5)} == {200}
        assert {anonymous.get(ME).status_code for _ in range(5)} == {401}
        assert_limited(as_alice.patch(ME, {}))

    def test_the_probe_is_never_limited(self, limit, db):
        limit(anonymous="1/min")
        client = at_address("192.0.2.1")

        assert {client.get("/health/").status_code for _ in range(5)} == {200}

    def test_the_app_may_read_when_to_come_back(self, limit, db):
        limit(anonymous="1/min")
        client = at_address("192.0.2.1")
        client.get(RESOURCES)

        answer = client.get(RESOURCES, HTTP_ORIGIN="https://app.example.org")

        assert_limited(answer)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
        assert "retry-after" in answer.headers["Access-Control-Expose-Headers"].lower()


class TestRefusedCalls:
    """What ends in 401 or 403 counts like any other call."""

    @pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
    @pytest.mark.parametrize(
        "header",
        [
            pytest.param("Token 0123456789abcdef", id="wrong token"),
            pytest.param("JWT wrong.wrong.wrong", id="wrong JSON Web Token"),
            pytest.param("Token", id="malformed"),
            pytest.param(None, id="none"),
        ],
    )
    def test_wrong_tokens_are_counted_by_address(self, limit, db, method, header):
        limit(anonymous="2/min")
        client = at_address("192.0.2.1")
        if header:
            client.credentials(HTTP_AUTHORIZATION=header)
        call = getattr(client, method)

        assert [call("/api/bookings/1/").status_code for _ in range(2)] == [401, 401]
        assert_limited(call("/api/bookings/1/"))
        assert_limited(at_address("192.0.2.1").get(RESOURCES))
        assert at_address("192.0.2.2").get(RESOURCES).status_code == 200

    def test_a_refused_call_says_what_is_left_and_how_to_sign_in(self, limit, db):
        limit(anonymous="2/min")

        answer = at_address("192.0.2.1").get("/api/bookings/")

        assert_flat_error(answer, 401, code="not_authenticated")
        assert answer.headers["RateLimit"].startswith('"anonymous";r=1;')
        assert answer.headers["WWW-Authenticate"]

    def test_what_a_user_may_not_do_is_counted_by_user(self, limit, as_alice):
        limit(user="2/min", anonymous="1/min")
        calls = [as_alice.post(RESOURCES, {"name": "Mine"}) for _ in range(3)]

        assert [answer.status_code for answer in calls] == [403, 403, 429]
        assert_limited(as_alice.get(RESOURCES))

    @pytest.mark.parametrize(
        ("method", "path"),
        [("post", f"{REGISTER}set_password/"), ("delete", ME), ("delete", f"{REGISTER}1/")],
        ids=["set_password", "delete me", "delete an account"],
    )
    def test_a_guess_without_a_token_is_no_sign_in(self, limit, alice, method, path):
        limit(sign_in="1/min", anonymous="2/min")
        client = at_address("192.0.2.1")

        answers = [getattr(client, method)(path, {"current_password": "wrong"}) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert sign_in(client, password=PASSWORD).status_code == 200

    @pytest.mark.parametrize("path", [RESOURCES, ME, "/api/bookings/"])
    def test_nothing_counts_twice(self, limit, as_alice, path):
        limit(user="9/min", sign_in="9/min")

        answer = as_alice.delete(path, {"current_password": "wrong"})

        assert answer.headers["RateLimit"].split(";")[1] == "r=8"

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
    @pytest.mark.parametrize("path", [LOGIN, JWT, REGISTER])
    def test_a_wrong_method_takes_no_sign_in_and_counts_like_any_other_call(self, limit, alice, path, method):
        limit(sign_in="1/min", registration="1/min", anonymous="2/min")
        client = at_address("192.0.2.1")

        answers = [getattr(client, method)(path, {"username": "alice"}) for _ in range(3)]

        assert not any(answer.status_code == 429 for answer in answers[:2])
        assert_limited(answers[2])
        assert sign_in(client, password=PASSWORD).status_code == 200

    def test_a_wrong_method_where_accounts_are_made_is_no_guess(self, limit, as_root, root):
        limit(sign_in="1/min")

        assert {as_root.delete(REGISTER).status_code for _ in range(3)} == {405}
        assert sign_in(at_address("192.0.2.1"), username="root", password=PASSWORD).status_code == 200

    def test_a_wrong_json_web_token_sign_in_counts_once(self, limit, alice):
        limit(sign_in="9/min")

        assert sign_in(at_address("192.0.2.1"), JWT).headers["RateLimit"].split(";")[1] == "r=8"


class TestManyMadeUpNames:
    """Whoever sends many names must not wash away the counters of others."""

    @pytest.fixture
    def room_for(self, settings):
        """Sets how many counters are kept."""

        def room_for(entries):
            memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": entries}}
            settings.CACHES = {"default": memory}

        return room_for

    def use_up(self, path=LOGIN):
        """Take all the sign-ins there are as alice, from addresses that are not used again."""
        for number in range(3):
            sign_in(at_address(f"198.51.100.{number}"), path)

    def test_the_counters_of_many_addresses_are_kept(self, limit, alice):
        limit(sign_in="3/hour")
        self.use_up()
        for number in range(400):
            sign_in(at_address(f"203.0.{number // 200}.{number % 200}"), username=f"nobody{number}")

        assert_limited(sign_in(at_address("192.0.2.1"), password=PASSWORD), seconds=3600)

    @pytest.mark.parametrize("path", [LOGIN, JWT, ADMIN], ids=["token", "jwt", "admin"])
    def test_a_refused_sign_in_makes_no_counter_of_the_name(self, limit, room_for, alice, path):
        limit(sign_in="3/hour")
        room_for(12)
        self.use_up(path)
        client = at_address("192.0.2.1")
        for number in range(3):
            sign_in(client, path, username=f"nobody{number}")

        assert {sign_in(client, path, username=f"made-up{number}").status_code for number in range(40)} == {429}
        assert sign_in(at_address("192.0.2.2"), path, password=PASSWORD).status_code == 429

    def test_a_refused_reset_makes_no_counter_of_the_mailbox(self, limit, room_for, alice):
        limit(password_reset="2/hour")
        room_for(8)
        for number in range(2):
            at_address(f"198.51.100.{number}").post(RESET, {"email": "alice@example.org"})
        client = at_address("192.0.2.1")
        for number in range(40):
            client.post(RESET, {"email": f"made-up{number}@example.org"})

        assert_limited(at_address("192.0.2.2").post(RESET, {"email": "alice@example.org"}), seconds=3600)


class TestProxies:
    def test_a_forged_header_is_no_way_around(self, limit, db):
        limit(proxies=0, anonymous="1/min")

        assert at_address("192.0.2.1", forwarded="198.51.100.1").get(RESOURCES).status_code == 200
        assert_limited(at_address("192.0.2.1", forwarded="198.51.100.2").get(RESOURCES))

    def test_behind_a_trusted_proxy_its_own_entry_counts(self, limit, db):
        limit(proxies=1, anonymous="1/min")

        assert at_address("10.0.0.1", forwarded="198.51.100.1").get(RESOURCES).status_code == 200
        assert at_address("10.0.0.1", forwarded="198.51.100.2").get(RESOURCES).status_code == 200
        assert_limited(at_address("10.0.0.1", forwarded="203.0.113.9, 198.51.100.1").get(RESOURCES))

    def test_the_admins_form_looks_at_the_same_address(self, limit, db):
        limit(proxies=1, sign_in="1/min")

        assert sign_in(at_address("10.0.0.1", forwarded="198.51.100.1"), ADMIN, "alice").status_code == 200
        assert sign_in(at_address("10.0.0.1", forwarded="198.51.100.2"), ADMIN, "bob").status_code == 200
        assert sign_in(at_address("10.0.0.1", forwarded="x, 198.51.100.1"), ADMIN, "carla").status_code == 429

    def test_a_call_that_came_by_no_proxy_counts_by_its_own_address(self, limit, db):
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
    def test_a_client_is_the_same_however_it_is_written(self, limit, db, one, other, proxies):
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
    def test_other_clients_are_others(self, limit, db, one, other):
        limit(proxies=1, anonymous="1/min")

        assert at_address("10.0.0.1", forwarded=one).get(RESOURCES).status_code == 200
        assert at_address("10.0.0.1", forwarded=other).get(RESOURCES).status_code == 200


def test_limits_are_kept_apart(limit, db):
    limit(sign_in="1/min", registration="1/min", password_reset="1/min", anonymous="1/min")
    make_user("alice")
    client = at_address("192.0.2.1")

    answers = [
        sign_in(client),
        client.post(REGISTER, {}),
        client.post(RESET, {"email": "x@example.org"}),
        client.get(RESOURCES),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 204, 200]
