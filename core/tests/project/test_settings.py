"""What each variable of the environment does, and what a wrong one is answered with."""

import os
import subprocess
import sys
import traceback

import pytest
from django.core.exceptions import ImproperlyConfigured

from booking_system_api import environment
from core.tests.support.environment import ROOT, SETTING
from core.tests.support.settings import load_settings


@pytest.fixture
def load(monkeypatch):
    """The settings with these variables in the environment."""
    return lambda **variables: load_settings(monkeypatch, **variables)


@pytest.fixture
def refusal(load):
    """The sentence that these variables are refused with; it names the variable."""

    def refusal(name, **variables):
        with pytest.raises(ImproperlyConfigured) as caught:
            load(**variables)
        sentence = str(caught.value)
        assert sentence.startswith(name)
        assert sentence.endswith(".")
        return sentence

    return refusal


def rate(settings, scope):
    return settings["REST_FRAMEWORK"]["DEFAULT_THROTTLE_RATES"][scope]


# Whether the booking page is served, and where links in mails lead.
APP, HERE = "https://app.example.org", "https://booking.example.org"
HOMES = [
    ({"PUBLIC_URL": HERE}, (True, HERE)),
    ({"PUBLIC_URL": HERE, "FRONTEND_URL": APP}, (False, APP)),
    ({"PUBLIC_URL": HERE, "FRONTEND_URL": APP, "BOOKING_PAGE": "on"}, (True, APP)),
    ({"PUBLIC_URL": HERE, "BOOKING_PAGE": "OFF"}, (False, "")),
    ({"DEBUG": "True"}, (True, "http://127.0.0.1:8000")),
]

DEFAULTS = {
    "BOOKING_PAGE": lambda s: (s["BOOKING_PAGE"], s["HOME_URL"]) == (True, ""),
    "DEBUG": lambda s: s["DEBUG"] is False,
    "ALLOWED_HOSTS": lambda s: s["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1"],
    "EMAIL_USE": lambda s: s["EMAIL_USE"] == "console",
    "FROM_EMAIL": lambda s: s["FROM_EMAIL"] == "noreply@bookingsystem.local",
    "EMAIL_URL": lambda s: s["EMAIL_SERVER"] == {},
    "FROM_NAME": lambda s: s["FROM_NAME"] == "",
    "REPLY_TO": lambda s: s["REPLY_TO"] == "",
    "TO_EMAIL": lambda s: s["TO_EMAIL"] == [],
    "FRONTEND_URL": lambda s: (s["FRONTEND_URL"], s["CORS_ALLOWED_ORIGINS"]) == ("", []),
    "TIME_ZONE": lambda s: (s["HOUSE_TIME_ZONE"], s["TIME_ZONE"]) == ("UTC", "UTC"),
    "BOOKING_LEAD_TIME_MINUTES": lambda s: s["BOOKING_LEAD_TIME_MINUTES"] == 30,
    "AVAILABILITY_WINDOW_MINUTES": lambda s: s["AVAILABILITY_WINDOW_MINUTES"] == 120,
    "THROTTLE_SIGN_IN": lambda s: rate(s, "sign_in") == "20/min",
    "THROTTLE_REGISTRATION": lambda s: rate(s, "registration") == "30/hour",
    "THROTTLE_PASSWORD_RESET": lambda s: rate(s, "password_reset") == "10/hour",
    "THROTTLE_ANONYMOUS": lambda s: rate(s, "anonymous") == "600/min",
    "THROTTLE_USER": lambda s: rate(s, "user") == "1200/min",
    "THROTTLE_CALENDAR": lambda s: rate(s, "calendar") == "60/min",
    "TRUSTED_PROXIES": lambda s: s["REST_FRAMEWORK"]["NUM_PROXIES"] == 0,
    "LOG_FORMAT": lambda s: s["LOG_FORMAT"] == "text",
    "METRICS_TOKEN": lambda s: s["METRICS_TOKEN"] == "",
    "WORKER_METRICS_BIND": lambda s: s["WORKER_METRICS_BIND"] is None,
    "LOG_LEVEL": lambda s: s["LOGGING"]["root"]["level"] == "INFO",
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_is_not_set_has_its_default(load, name):
    assert DEFAULTS[name](load())


@pytest.mark.parametrize("name", [name for name in DEFAULTS if not name.startswith("THROTTLE_")])
def test_what_is_set_to_nothing_has_its_default_too(load, name):
    assert DEFAULTS[name](load(**{name: "  "}))


@pytest.mark.parametrize(
    ("variables", "holds"),
    [
        pytest.param({"DEBUG": "true"}, lambda s: s["DEBUG"] is True, id="DEBUG=true"),
        pytest.param({"DEBUG": "1"}, lambda s: s["DEBUG"] is True, id="DEBUG=1"),
        pytest.param({"DEBUG": "off"}, lambda s: s["DEBUG"] is False, id="DEBUG=off"),
        pytest.param(
            {"ALLOWED_HOSTS": " api.example.org, .example.com ,,[::1]"},
            lambda s: s["ALLOWED_HOSTS"] == ["api.example.org", ".example.com", "[::1]"],
            id="ALLOWED_HOSTS",
        ),
        pytest.param(
            {"EMAIL_USE": "SendGrid", "SENDGRID_API_KEY": "key"},
            lambda s: (s["EMAIL_USE"], s["SENDGRID_API_KEY"]) == ("sendgrid", "key"),
            id="EMAIL_USE",
        ),
        pytest.param({"FROM_EMAIL": "a@example.org"}, lambda s: s["FROM_EMAIL"] == "a@example.org", id="FROM_EMAIL"),
        pytest.param(
            {"TO_EMAIL": "a@example.org, b@example.org"},
            lambda s: s["TO_EMAIL"] == ["a@example.org", "b@example.org"],
            id="TO_EMAIL",
        ),
        pytest.param(
            {"FRONTEND_URL": "https://App.example.org/, http://localhost:5173"},
            lambda s: (
                (s["FRONTEND_URL"], s["CORS_ALLOWED_ORIGINS"])
                == ("https://app.example.org", ["https://app.example.org", "http://localhost:5173"])
            ),
            id="FRONTEND_URL",
        ),
        pytest.param(
            {"FRONTEND_URL": "https://a.example.org:443,http://b.example.org:80,https://c.example.org:8443"},
            lambda s: (
                s["CORS_ALLOWED_ORIGINS"]
                == ["https://a.example.org", "http://b.example.org", "https://c.example.org:8443"]
            ),
            id="FRONTEND_URL with ports as browsers write them",
        ),
        *(
            pytest.param(
                variables,
                lambda s, wanted=wanted: (s["BOOKING_PAGE"], s["HOME_URL"]) == wanted,
                id=" ".join(f"{name}={value}" for name, value in variables.items()),
            )
            for variables, wanted in HOMES
        ),
        pytest.param(
            {"TIME_ZONE": "Europe/Berlin"},
            lambda s: (s["HOUSE_TIME_ZONE"], s["TIME_ZONE"]) == ("Europe/Berlin", "UTC"),
            id="TIME_ZONE",
        ),
        pytest.param(
            {"BOOKING_LEAD_TIME_MINUTES": "0"},
            lambda s: s["BOOKING_LEAD_TIME_MINUTES"] == 0,
            id="BOOKING_LEAD_TIME_MINUTES",
        ),
        pytest.param(
            {"AVAILABILITY_WINDOW_MINUTES": "1"},
            lambda s: s["AVAILABILITY_WINDOW_MINUTES"] == 1,
            id="AVAILABILITY_WINDOW_MINUTES",
        ),
        pytest.param({"THROTTLE_SIGN_IN": "5/hour"}, lambda s: rate(s, "sign_in") == "5/hour", id="THROTTLE_SIGN_IN"),
        pytest.param(
            {"THROTTLE_REGISTRATION": "5/day"}, lambda s: rate(s, "registration") == "5/day", id="THROTTLE_REGISTRATION"
        ),
        pytest.param(
            {"THROTTLE_PASSWORD_RESET": "1/s"},
            lambda s: rate(s, "password_reset") == "1/s",
            id="THROTTLE_PASSWORD_RESET",
        ),
        pytest.param({"THROTTLE_ANONYMOUS": ""}, lambda s: rate(s, "anonymous") is None, id="THROTTLE_ANONYMOUS"),
        pytest.param({"THROTTLE_USER": " "}, lambda s: rate(s, "user") is None, id="THROTTLE_USER"),
        pytest.param({"THROTTLE_CALENDAR": "5/s"}, lambda s: rate(s, "calendar") == "5/s", id="THROTTLE_CALENDAR"),
        pytest.param({"TRUSTED_PROXIES": "2"}, lambda s: s["REST_FRAMEWORK"]["NUM_PROXIES"] == 2, id="TRUSTED_PROXIES"),
        pytest.param({"LOG_LEVEL": "warning"}, lambda s: s["LOGGING"]["root"]["level"] == "WARNING", id="LOG_LEVEL"),
        pytest.param(
            {"DATABASE_URL": "postgres://u:p%40ss@db.example.org:5433/name"},
            lambda s: (
                [s["DATABASES"]["default"][key] for key in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")]
                == ["booking_system_api.postgresql", "u", "p@ss", "db.example.org", 5433, "name"]
            ),
            id="DATABASE_URL of PostgreSQL",
        ),
        pytest.param(
            {"DATABASE_URL": "", "DEBUG": "True"},
            lambda s: (
                (s["DATABASES"]["default"]["ENGINE"], s["DATABASES"]["default"]["NAME"])
                == ("django.db.backends.sqlite3", str(ROOT / "db.sqlite3"))
            ),
            id="no DATABASE_URL with DEBUG on",
        ),
    ],
)
def test_what_is_set_counts(load, variables, holds):
    assert holds(load(**variables))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("DEBUG", "2"),
        ("ALLOWED_HOSTS", "https://api.example.org"),
        ("ALLOWED_HOSTS", "api.example.org:8000"),
        ("ALLOWED_HOSTS", "api.example.org/"),
        ("ALLOWED_HOSTS", "localhost, two words"),
        ("ALLOWED_HOSTS", "a..example"),
        ("ALLOWED_HOSTS", "a-.example"),
        ("EMAIL_USE", "pigeon"),
        ("REPLY_TO", "nobody"),
        ("FROM_NAME", "x" * 101),
        ("FROM_NAME", "two\nlines"),
        ("FROM_EMAIL", "nobody"),
        ("TO_EMAIL", "a@example.org,nobody"),
        ("BOOKING_PAGE", "yes"),
        ("FRONTEND_URL", "app.example.org"),
        ("FRONTEND_URL", "ftp://app.example.org"),
        ("FRONTEND_URL", "https://app.example.org/start"),
        ("FRONTEND_URL", "https://app.example.org?x=1"),
        ("FRONTEND_URL", "https://user@app.example.org"),
        ("FRONTEND_URL", "https://app.example.org:99999"),
        ("FRONTEND_URL", "https://*.example.org"),
        ("FRONTEND_URL", "https://"),
        ("FRONTEND_URL", "https://..."),
        ("FRONTEND_URL", "https://-"),
        ("FRONTEND_URL", "https://a..example"),
        ("FRONTEND_URL", "https://a.example:0"),
        ("FRONTEND_URL", "https://[::::]"),
        ("FRONTEND_URL", "*"),
        ("FRONTEND_URL", "null"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "CEST"),
        ("TIME_ZONE", "+02:00"),
        ("TIME_ZONE", "europe/berlin"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("TIME_ZONE", "localtime"),
        ("BOOKING_LEAD_TIME_MINUTES", "-1"),
        ("BOOKING_LEAD_TIME_MINUTES", "half an hour"),
        ("BOOKING_LEAD_TIME_MINUTES", "1.5"),
        ("BOOKING_LEAD_TIME_MINUTES", "9" * 30),
        ("AVAILABILITY_WINDOW_MINUTES", "0"),
        ("AVAILABILITY_WINDOW_MINUTES", "-5"),
        ("THROTTLE_SIGN_IN", "20"),
        ("THROTTLE_SIGN_IN", "20/fortnight"),
        ("THROTTLE_REGISTRATION", "-1/min"),
        ("THROTTLE_PASSWORD_RESET", "many/min"),
        ("THROTTLE_ANONYMOUS", "0/min"),
        ("THROTTLE_USER", "1/min/2"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "all"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_what_cannot_be_right_is_refused(refusal, name, value):
    assert repr(value.split(",")[-1].strip()) in refusal(name, **{name: value})


@pytest.mark.parametrize("value", [",", " , ,"])
@pytest.mark.parametrize("name", ["ALLOWED_HOSTS", "FROM_EMAIL", "TO_EMAIL", "FRONTEND_URL", "PUBLIC_URL"])
def test_commas_with_nothing_between_are_refused(refusal, name, value):
    assert repr(value.strip()) in refusal(name, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FROM_EMAIL", "a@example.org,b@example.org"),
        ("REPLY_TO", "a@example.org,b@example.org"),
        ("PUBLIC_URL", "https://a.example.org, https://b.example.org"),
        ("RENDER_EXTERNAL_URL", "https://a.example.org,https://b.example.org"),
        ("SENDGRID_HOST", "https://a.example.org,https://b.example.org"),
    ],
)
def test_where_one_is_wanted_several_are_refused(refusal, monkeypatch, name, value):
    monkeypatch.delenv(name, raising=False)
    sentence = refusal(name, **{name: value})

    assert repr(value) in sentence
    assert "one " in sentence


@pytest.mark.parametrize(
    "value", ["mysql://u:p@h/n", "postgres://u:p@h:port/n", "postgres://u:p@h", "somewhere", "postgres"]
)
def test_a_database_address_that_cannot_be_right_is_refused_without_repeating_it(refusal, value):
    sentence = refusal("DATABASE_URL", DATABASE_URL=value)

    assert f"is {value!r}" not in sentence
    assert "u:p@" not in sentence
    assert "postgres://USER:PASSWORD@HOST:5432/NAME" in sentence


@pytest.mark.parametrize(
    "value",
    [
        "http://h:6379/0",
        "h:6379",
        "redis://h:port/0",
        "redis://h:99999/0",
        "redis://h:0/0",
        "redis:///0",
        "redis://:secret@/0",
        "redis://[::1/0",
        "redis://h/0 x",
    ],
)
def test_an_address_of_redis_that_cannot_be_right_is_refused_without_repeating_it(refusal, value):
    sentence = refusal("REDIS_URL", REDIS_URL=value)

    assert value not in sentence
    assert "redis://HOST:6379/0" in sentence
    assert "comment" not in sentence


@pytest.mark.parametrize(
    "value", ["redis://h", "rediss://u:p@h:6380/1?ssl_cert_reqs=none", "redis://[::1]:6379/0", "unix:///run/redis.sock"]
)
def test_an_address_of_redis_counts(load, value):
    assert load(REDIS_URL=value)["REDIS_URL"] == value


def test_without_a_secret_key_nothing_starts(refusal):
    refusal("SECRET_KEY is not set", SECRET_KEY="")


def test_with_debug_off_there_is_no_database_to_fall_back_on(refusal):
    refusal("DATABASE_URL is not set", DATABASE_URL="")


MAIL_SERVERS = {
    "smtp+tls": ("smtp+tls://u:p@mx.example.org", ("mx.example.org", 587, "u", "p", True, False)),
    "smtps": ("smtps://u:p@mx.example.org", ("mx.example.org", 465, "u", "p", False, True)),
    "smtp+ssl": ("smtp+ssl://u:p@mx.example.org", ("mx.example.org", 465, "u", "p", False, True)),
    "smtp": ("smtp://mx.example.org/", ("mx.example.org", 25, "", "", False, False)),
    "port": ("smtp+tls://u:p@mx.example.org:2525", ("mx.example.org", 2525, "u", "p", True, False)),
    "port_of_smtps": ("SMTPS://u:p@MX.example.org:2465", ("mx.example.org", 2465, "u", "p", False, True)),
    "percent": (
        "smtp+tls://me%40example.org:%3A%2F%3F%23%40%25+%20x@h",
        ("h", 587, "me@example.org", ":/?#@%+ x", True, False),
    ),
    "address_as_user": ("smtp+tls://me@example.org:p@h", ("h", 587, "me@example.org", "p", True, False)),
    "ipv6": ("smtp://[::1]:2525", ("::1", 2525, "", "", False, False)),
}


@pytest.mark.parametrize(("url", "server"), MAIL_SERVERS.values(), ids=MAIL_SERVERS)
def test_the_address_of_a_mail_server_counts(load, url, server):
    names = ("host", "port", "username", "password", "use_tls", "use_ssl")
    assert load(EMAIL_USE="SMTP", EMAIL_URL=url)["EMAIL_SERVER"] == dict(zip(names, server, strict=True))


@pytest.mark.parametrize(
    "value",
    [
        "mx.example.org",
        "mx.example.org:587",
        "http://u:six-copper@h",
        "consolemail://",
        "filemail:///tmp/six-copper",
        "submission://u:six-copper@h",
        "smtp+tls://u:six-copper@",
        "smtp+tls://u:six-copper@h:port",
        "smtp+tls://u:six-copper@h:0",
        "smtp+tls://u:six-copper@h:99999",
        "smtp+tls://u:six/copper@h",
        "smtp+tls://u:six#copper@h",
        "smtp+tls://u:six?copper@h",
        "smtp+tls://u:six copper@h",
        "smtp+tls://u:p@a..example",
        "smtp+tls://u:p@[::1",
        "smtp+tls://u:six-copper@h:587 # ours",
    ],
)
def test_an_address_of_a_mail_server_that_cannot_be_right_is_refused_without_repeating_it(load, value):
    with pytest.raises(ImproperlyConfigured) as caught:
        load(EMAIL_URL=value)
    told = "".join(traceback.format_exception(caught.value, limit=0))
    assert "EMAIL_URL cannot be understood. Set it to smtp+tls://USER:PASSWORD@HOST:587" in told
    assert "six" not in told
    assert "ours" not in told
    assert ("comment" in told.lower()) == (" #" in value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("smtp+tls://u:six-copper@h?timeout=3", "ends with its host or its port"),
        ("smtp+tls://u:six-copper@h/path", "ends with its host or its port"),
        ("smtp+tls://u:p@h#six-copper", "ends with its host or its port"),
        ("smtp+tls://six-copper@h", "a user name and a password belong together"),
        ("smtp+tls://:six-copper@h", "a user name and a password belong together"),
        ("smtp+tls://u:six-cöpper@h", "must consist of ASCII characters"),
        ("smtp+tls://u:six%0d%0acopper@h", "must consist of ASCII characters"),
        ("smtp+tls://u:six%ffcopper@h", "must consist of ASCII characters"),
    ],
)
def test_a_part_of_a_mail_servers_address_that_would_not_count_is_named(refusal, value, words):
    sentence = refusal("EMAIL_URL cannot be used: ", EMAIL_URL=value)

    assert words in sentence
    assert "six" not in sentence
    assert "copper" not in sentence


def test_smtp_needs_the_address_of_its_server(refusal):
    refusal("EMAIL_URL is not set", EMAIL_USE="smtp")


def test_sendgrid_needs_its_key(refusal):
    refusal("SENDGRID_API_KEY is not set", EMAIL_USE="sendgrid")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "True # for me"),
        ("ALLOWED_HOSTS", "localhost # mine"),
        ("DATABASE_URL", "postgres://u:p@h:5432/n # mine"),
        ("DATABASE_URL", "sqlite:///db.sqlite3 # mine"),
        ("EMAIL_USE", "console # or sendgrid"),
        ("EMAIL_USE", "# or sendgrid"),
        ("FROM_EMAIL", "a@example.org # me"),
        ("TO_EMAIL", "a@example.org, b@example.org # us"),
        ("FRONTEND_URL", "https://app.example.org # the app"),
        ("BOOKING_LEAD_TIME_MINUTES", "30 # minutes"),
        ("AVAILABILITY_WINDOW_MINUTES", "120 # minutes"),
        ("THROTTLE_SIGN_IN", "20/min # at most"),
        ("THROTTLE_USER", "# none"),
        ("TRUSTED_PROXIES", "1 # ours"),
        ("REDIS_URL", "redis://h/0 # ours"),
        ("REDIS_URL", "# none"),
        ("LOG_LEVEL", "INFO # not more"),
    ],
)
def test_a_comment_after_a_value_is_recognised(refusal, name, value):
    assert "comments may not follow values" in refusal(name, **{name: value}).lower()


def test_a_wrong_value_without_a_comment_gets_no_such_hint(refusal):
    assert "comment" not in refusal("LOG_LEVEL", LOG_LEVEL="LOUD").lower()


def test_a_password_with_a_sign_of_a_comment_is_none(load):
    settings = load(DATABASE_URL="postgres://u:p%20%23x@h:5432/n")

    assert settings["DATABASES"]["default"]["PASSWORD"] == "p #x"


def test_debug_off_means_https_only(load):
    settings = load(DEBUG="False")

    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["CSRF_COOKIE_SECURE"] is True
    assert settings["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert settings["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_debug_on_means_plain_http_works(load):
    settings = load(DEBUG="True")

    assert settings["SECURE_SSL_REDIRECT"] is False
    assert settings["SESSION_COOKIE_SECURE"] is False
    assert settings["CSRF_COOKIE_SECURE"] is False
    assert settings["SECURE_HSTS_SECONDS"] == 0


def test_the_log_level_never_lets_secrets_of_libraries_through(load):
    loggers = load(LOG_LEVEL="DEBUG")["LOGGING"]["loggers"]

    # At DEBUG, the one writes queries with their values, the other the mails and the API key.
    assert loggers["django"]["level"] == "WARNING"
    assert loggers["python_http_client"]["level"] == "WARNING"


def test_every_setting_of_the_example_is_read_somewhere():
    names = set(SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")))
    sources = [*(ROOT / "booking_system_api").glob("*.py"), *(ROOT / "core" / "management" / "commands").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)

    assert {name for name in names if f'"{name}"' not in text} == set()
    assert set(DEFAULTS) | {"SECRET_KEY", "DATABASE_URL", "SENDGRID_API_KEY"} <= names


class TestTheFile:
    def run(self, folder, env_file=None, **variables):
        """What a fresh interpreter says of its DEBUG and SECRET_KEY, started in that folder."""
        ours = SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
        clean = {name: value for name, value in os.environ.items() if name not in ours}
        clean["BOOKING_ENV_FILE"] = str(env_file or os.devnull)
        code = "from django.conf import settings; print(settings.DEBUG, settings.SECRET_KEY)"
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env={
                **clean,
                "DJANGO_SETTINGS_MODULE": "booking_system_api.settings",
                "PYTHONPATH": str(ROOT),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_it_is_read_and_the_environment_wins(self, tmp_path):
        (tmp_path / "ours").write_text("SECRET_KEY=from-the-file\nDEBUG=True\n# DEBUG=False\n")

        assert self.run(tmp_path, tmp_path / "ours").stdout == "True from-the-file\n"
        assert self.run(tmp_path, tmp_path / "ours", SECRET_KEY="stronger").stdout == "True stronger\n"

    def test_one_with_the_mark_that_windows_editors_put_first_is_read(self, tmp_path):
        (tmp_path / "ours").write_text("SECRET_KEY=from-the-file\r\nDEBUG=True\r\n", encoding="utf-8-sig", newline="")

        assert self.run(tmp_path, tmp_path / "ours").stdout == "True from-the-file\n"

    def test_a_comment_after_a_value_is_shown_with_its_line(self, tmp_path):
        (tmp_path / "ours").write_text("SECRET_KEY=x # a secret\nDEBUG=True\n\nEMAIL_USE=console  # or sendgrid\n")
        sentence = self.run(tmp_path, tmp_path / "ours").stderr.strip().splitlines()[-1]

        assert sentence.endswith(
            "EMAIL_USE is 'console  # or sendgrid', but it must be one of console, smtp, sendgrid. Comments may not "
            "follow values: put the comment on a line of its own, above line 4 of ours: '# or sendgrid'."
        )

    def test_a_comment_after_a_secret_is_not_shown(self, tmp_path):
        (tmp_path / "ours").write_text("SECRET_KEY=x\nDEBUG=True\nDATABASE_URL=postgres://u:p@h:5432/n # p2\n")
        sentence = self.run(tmp_path, tmp_path / "ours").stderr.strip().splitlines()[-1]

        assert sentence.endswith("put the comment on a line of its own, above line 3 of ours.")
        assert "p2" not in sentence

    def test_one_in_another_folder_is_not_read(self, tmp_path):
        (tmp_path / ".env").write_text("SECRET_KEY=from-elsewhere\nDEBUG=True\n")
        (tmp_path / "inside").mkdir()

        for folder in (tmp_path, tmp_path / "inside"):
            answer = self.run(folder)
            assert answer.returncode == 1
            assert "ImproperlyConfigured: SECRET_KEY is not set" in answer.stderr

    def test_one_that_is_no_text_is_refused_in_a_sentence(self, tmp_path):
        (tmp_path / "ours").write_bytes(b"SECRET_KEY=\xff\xfe\n")

        assert "ours cannot be read" in self.run(tmp_path, tmp_path / "ours").stderr


class TestReaders:
    """What the settings of later will be read with, beyond what today's show."""

    def test_text_is_trimmed(self, monkeypatch):
        monkeypatch.setenv("X_TEXT", "  a b  ")

        assert environment.text("X_TEXT") == "a b"

    def test_bounds_are_included(self, monkeypatch):
        for value in ("1", "5"):
            monkeypatch.setenv("X_NUMBER", value)
            assert environment.integer("X_NUMBER", default=3, minimum=1, maximum=5) == int(value)
        for value in ("0", "6", "+3", "٣", "3 3", "0x3"):
            monkeypatch.setenv("X_NUMBER", value)
            with pytest.raises(ImproperlyConfigured, match="X_NUMBER is .* from 1 to 5"):
                environment.integer("X_NUMBER", default=3, minimum=1, maximum=5)
