"""The addresses of the database and of Redis: a part that a driver would refuse later stops the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.tests.support.settings import load_settings

WAITS = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
POSTGRES = "postgres://booking:six-copper-lanterns@db.example.org:5432/booking"
SECRET = "six-copper-lanterns"
SSL_MODES = "one of disable, allow, prefer, require, verify-ca, verify-full"


@pytest.fixture
def load(monkeypatch):
    """The settings with these variables in the environment."""
    return lambda **variables: load_settings(monkeypatch, **variables)


@pytest.fixture
def refusal(load):
    """The sentence that an address is refused with; it shows no part of a password."""

    def refusal(name, address):
        with pytest.raises(ImproperlyConfigured) as caught:
            load(**{name: address})
        sentence = str(caught.value)
        assert sentence.startswith(f"{name} ")
        assert sentence.endswith(".")
        assert SECRET not in sentence
        return sentence

    return refusal


class TestPostgres:
    @pytest.mark.parametrize(
        ("query", "options"),
        [
            ("sslmode=require", {"sslmode": "require"}),
            ("sslmode=verify-full&sslrootcert=/etc/ca.pem", {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}),
            ("sslmode=require&channel_binding=require", {"sslmode": "require", "channel_binding": "require"}),
            ("gssencmode=require", {"gssencmode": "require"}),
            ("sslnegotiation=direct&sslmode=require", {"sslnegotiation": "direct", "sslmode": "require"}),
            ("options=-c%20search_path%3Drooms", {"options": "-c search_path=rooms"}),
            ("currentSchema=rooms", {"options": "-c search_path=rooms"}),
            ("application_name=a%20b&keepalives=1", {"application_name": "a b", "keepalives": 1}),
            ("target_session_attrs=read-write", {"target_session_attrs": "read-write"}),
            ("assume_role=keeper", {"assume_role": "keeper"}),
            ("sslmode=", {}),
        ],
    )
    def test_what_the_driver_takes_counts(self, load, query, options):
        database = load(DATABASE_URL=f"{POSTGRES}?{query}")["DATABASES"]["default"]

        assert database["OPTIONS"] == {**WAITS, **options}

    def test_a_timeout_of_ones_own_counts(self, load):
        database = load(DATABASE_URL=f"{POSTGRES}?connect_timeout=9")["DATABASES"]["default"]

        assert database["OPTIONS"] == {**WAITS, "connect_timeout": 9}

    def test_the_server_may_be_a_socket_or_several_hosts(self, load):
        of_socket = load(DATABASE_URL="postgres:///booking?host=/var/run/postgresql")["DATABASES"]["default"]
        of_hosts = load(DATABASE_URL="postgres:///booking?host=a,b&port=5432,5433")["DATABASES"]["default"]

        assert (of_socket["HOST"], of_socket["OPTIONS"]["host"]) == ("", "/var/run/postgresql")
        assert of_hosts["OPTIONS"]["port"] == "5432,5433"

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            (
                "pgbouncer=true",
                "`pgbouncer` is no option of PostgreSQL's driver, but one of Prisma. Leave it",
            ),
            ("schema=public", "one of Prisma. Write options=-c%20search_path%3DNAME instead."),
            ("connection_limit=5", "one of Prisma. Leave it out; WEB_CONCURRENCY and GUNICORN_THREADS"),
            ("pool_size=5", "one of SQLAlchemy"),
            ("charset=utf8mb4", "one of MySQL"),
            ("ssl=true", "one of node-postgres. Write sslmode=require"),
            ("sslMode=require", "`sslMode` is no option of PostgreSQL's driver. Leave it out."),
            ("dsn=x", "`dsn` is no option"),
            ("sslmode=REQUIRE", f"`sslmode` must be {SSL_MODES}."),
            ("sslmode=true", f"`sslmode` must be {SSL_MODES}."),
            ("sslmode=require&sslmode=disable", "it has the option `sslmode` more than once."),
            ("connect_timeout=5s", "`connect_timeout` must be a whole number."),
            ("keepalives_idle=long", "`keepalives_idle` must be a whole number."),
            ("isolation_level=serializable", "`isolation_level` must be a whole number from 1 to 4."),
            ("port=none", "`port` must be a port"),
            ("channel_binding=sometimes", "does not take this value of `channel_binding`."),
            ("target_session_attrs=master", "does not take this value of `target_session_attrs`."),
            ("gssencmode=off", "does not take this value of `gssencmode`."),
            ("ssl_min_protocol_version=1.2", "does not take this value of `ssl_min_protocol_version`."),
            ("sslnegotiation=direct", "does not take this value of `sslnegotiation`."),
            ("service=nowhere", "does not take this value of `service`."),
            ("application_name=a%00b", "embedded null character."),
        ],
    )
    def test_what_the_driver_refuses_is_named(self, refusal, query, words):
        assert words in refusal("DATABASE_URL", f"{POSTGRES}?{query}")

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "pgsql"])
    def test_the_name_of_the_scheme_does_not_matter(self, refusal, scheme):
        assert "`schema`" in refusal("DATABASE_URL", f"{scheme}://u:{SECRET}@h/n?schema=public")

    def test_a_name_that_no_database_can_have_is_refused(self, refusal):
        assert "63 characters" in refusal("DATABASE_URL", f"postgres://u:{SECRET}@h/{'n' * 64}")

    @pytest.mark.parametrize(
        "address", ["postgres://u:1/2?six-copper-lanterns=x@h/n", f"postgres://u:1/2#{SECRET}@h/n"]
    )
    def test_a_password_that_was_not_written_as_an_address_wants_it_is_not_shown(self, refusal, address):
        refusal("DATABASE_URL", address)

    def test_what_else_the_driver_reads_is_named_too(self, refusal, monkeypatch):
        monkeypatch.setenv("PGSSLMODE", "REQUIRE")

        assert 'invalid sslmode value: "REQUIRE"' in refusal("DATABASE_URL", POSTGRES)


class TestSQLite:
    @pytest.mark.parametrize("query", ["timeout=5", "mode=ro", "cache=shared"])
    def test_options_that_would_be_left_out_are_refused(self, refusal, query):
        assert "has no options" in refusal("DATABASE_URL", f"sqlite:///db.sqlite3?{query}")

    @pytest.mark.parametrize("address", ["sqlite://db.sqlite3", "sqlite://data/db.sqlite3"])
    def test_two_slashes_are_refused_since_a_part_of_the_path_would_be_left_out(self, refusal, address):
        assert "follows three slashes" in refusal("DATABASE_URL", address)

    def test_a_path_with_the_sign_of_a_fragment_is_refused(self, refusal):
        refusal("DATABASE_URL", "sqlite:////data/a#b.sqlite3")

    def test_a_path_whose_signs_are_escaped_counts(self, load):
        assert load(DATABASE_URL="sqlite:////data/a%23b%3Fc")["DATABASES"]["default"]["NAME"] == "/data/a#b?c"


class TestRedis:
    @pytest.mark.parametrize(
        "address",
        [
            f"redis://:{SECRET}@h:6379/3?socket_timeout=0.5&health_check_interval=30",
            "rediss://h:6380/1?ssl_cert_reqs=none&ssl_check_hostname=false",
            "unix:///run/redis.sock?db=1",
            "redis://h/",
        ],
    )
    def test_what_the_driver_takes_counts(self, load, address):
        assert load(REDIS_URL=address)["REDIS_URL"] == address

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("redis://h?ssl_cert_reqs=none", "`ssl_cert_reqs` is no option of redis://, but one of rediss://. Leave"),
            ("redis://h?tls=true", "`tls` is no option of redis://. Leave it out."),
            ("rediss://h?family=0", "`family` is no option of rediss://. Leave it out."),
            ("unix:///run/redis.sock?socket_keepalive=1", "`socket_keepalive` is no option of unix://."),
            ("redis://h?connection_class=x", "`connection_class` is no option"),
            ("rediss://h?ssl_cert_reqs=CERT_NONE", "does not take this value of `ssl_cert_reqs`."),
            ("redis://h?socket_timeout=1s", "does not take this value of `socket_timeout`."),
            ("redis://h?protocol=9", "does not take this value of `protocol`."),
            ("redis://h?max_connections=few", "does not take this value of `max_connections`."),
            (f"redis://u:1?{SECRET}=x@h/0", "has to be written as %3F."),
            ("redis://h/cache", "cannot be understood"),
            ("redis://h/0/1", "cannot be understood"),
            ("redis://h/0#1", "cannot be understood"),
            ("unix://run/redis.sock", "cannot be understood"),
        ],
    )
    def test_what_the_driver_refuses_or_leaves_out_is_named(self, refusal, address, words):
        assert words in refusal("REDIS_URL", address)
