"""How often somebody may call, per address, per account and per user."""

import pytest
from django.contrib.auth.models import User
from django.core import mail

from core.api import counters, throttling
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_user
from core.tests.support.limits import (
    ADMIN,
    JWT,
    LOGIN,
    ME,
    REGISTER,
    RESET,
    RESOURCES,
    assert_limited,
    at_address,
    sign_in,
)
from core.tests.support.mailing import deliver
from core.tests.support.parallel import in_parallel


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

    @pytest.mark.parametrize(("path", "right"), [(LOGIN, 200), (JWT, 200), (ADMIN, 302)], ids=["token", "jwt", "admin"])
    def test_wrong_sign_ins_from_one_address_do_not_lock_the_owner_out(self, limit, admin, path, right):
        limit(sign_in="3/min")
        stranger = at_address("192.0.2.1")

        assert [sign_in(stranger, path, "admin").status_code for _ in range(30)][3:] == [429] * 27
        assert sign_in(at_address("192.0.2.2"), path, "admin", PASSWORD).status_code == right

    def test_one_account_has_one_count_for_all_doors_and_addresses_of_five_times_the_rate(self, limit, alice):
        limit(sign_in="1/min")
        doors = (LOGIN, JWT, ADMIN, LOGIN, JWT)

        answers = [sign_in(at_address(f"192.0.2.{number}"), path) for number, path in enumerate(doors)]

        assert [answer.status_code for answer in answers] == [400, 401, 200, 400, 401]
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
        for number in range(5):
            assert sign_in(at_address(f"192.0.2.{number}"), username=username).status_code == 400

        assert_limited(sign_in(at_address("192.0.2.20"), username=other))

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

    def test_a_name_with_a_dotless_i_is_the_name_that_it_signs_in_as(self):
        assert throttling.account("alıcia") == throttling.account("ALICIA") == throttling.account("alicia")

    def test_all_spellings_of_a_mailbox_count_together(self, limit, db):
        limit(password_reset="1/hour")

        assert at_address("192.0.2.1").post(RESET, {"email": "user@bücher.example"}).status_code == 204
        assert_limited(at_address("192.0.2.2").post(RESET, {"email": "User@XN--bcher-kva.example"}), seconds=3600)


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


class TestManyMadeUpNames:
    """Whoever sends many names must not wash away the counters of others."""

    @pytest.fixture
    def room_for(self, monkeypatch):
        """Sets how many counters are kept."""
        return lambda entries: monkeypatch.setattr(counters, "store", counters.MemoryStore(entries))

    def use_up(self, path=LOGIN):
        """Take all the sign-ins there are as alice, from addresses that are not used again."""
        for number in range(5):
            sign_in(at_address(f"198.51.100.{number}"), path)

    def test_the_counters_of_many_addresses_are_kept(self, limit, alice):
        limit(sign_in="1/hour")
        self.use_up()
        for number in range(400):
            sign_in(at_address(f"203.0.{number // 200}.{number % 200}"), username=f"nobody{number}")

        assert_limited(sign_in(at_address("192.0.2.1"), password=PASSWORD), seconds=3600)

    @pytest.mark.parametrize("path", [LOGIN, JWT, ADMIN], ids=["token", "jwt", "admin"])
    def test_a_refused_sign_in_makes_no_counter_of_the_name(self, limit, room_for, alice, path):
        limit(sign_in="1/hour")
        room_for(8)
        self.use_up(path)
        client = at_address("192.0.2.1")
        sign_in(client, path, username="nobody")

        assert {sign_in(client, path, username=f"made-up{number}").status_code for number in range(40)} == {429}
        assert sign_in(at_address("192.0.2.2"), path, password=PASSWORD).status_code == 429

    def test_a_refused_reset_makes_no_counter_of_the_mailbox(self, limit, room_for, alice):
        limit(password_reset="1/hour")
        room_for(8)
        for number in range(5):
            at_address(f"198.51.100.{number}").post(RESET, {"email": "alice@example.org"})
        client = at_address("192.0.2.1")
        for number in range(40):
            client.post(RESET, {"email": f"made-up{number}@example.org"})

        assert_limited(at_address("192.0.2.2").post(RESET, {"email": "alice@example.org"}), seconds=3600)


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_at_once_no_more_than_the_quota_are_let_through(limit):
    limit(anonymous="20/min")

    answers = in_parallel([lambda: at_address("192.0.2.1").get("/api/")] * 60)

    assert sorted(answer.status_code for answer in answers) == [200] * 20 + [429] * 40


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
