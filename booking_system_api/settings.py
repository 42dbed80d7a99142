"""Settings of the booking system, in one flat file; docs/configuration.md lists the environment variables."""

from datetime import timedelta
from urllib.parse import quote

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from booking_system_api import environment as env
from booking_system_api import servers
from booking_system_api.environment import BASE_DIR
from booking_system_api.logs import configuration
from booking_system_api.version import VERSION

# --- The basics -------------------------------------------------------------------------------------------------------

SECRET_KEY = env.required("SECRET_KEY", "Set it to a long random string; `make run` writes one into a new .env.")
DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1")
# For `manage.py check --deploy`.
HOSTS_SET_TO_NOTHING = env.is_set_to_nothing("ALLOWED_HOSTS")
SETTINGS_FILE = env.settings_file()

ROOT_URLCONF = "booking_system_api.urls"
WSGI_APPLICATION = "booking_system_api.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # Before Django's own apps, whose command `createsuperuser` it replaces.
    "core.apps.CoreConfig",
    "core.apps.BookingAdminConfig",
    "booking_system_api.apps.ProjectConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.token_blacklist",
    "djoser",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "booking_system_api.middleware.RequestLogMiddleware",
    "core.api.middleware.BodilessMiddleware",
    "booking_system_api.middleware.PolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "booking_system_api.middleware.HealthMiddleware",
    "booking_system_api.middleware.DatabaseAwayMiddleware",
    "core.api.middleware.ApiCacheMiddleware",
    "core.api.middleware.ApiErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "booking_system_api.middleware.ForgivingSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en-us"
# Django's own zone stays UTC, for the log and the API. The variable TIME_ZONE is the zone of the house.
TIME_ZONE = "UTC"
HOUSE_TIME_ZONE = env.zone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --- Database ---------------------------------------------------------------------------------------------------------

if not DEBUG:
    env.required("DATABASE_URL", "Set it to postgres://USER:PASSWORD@HOST:5432/NAME, or set DEBUG=True.")

# Seconds that a connection stays open for later requests. 0 closes each connection after its request, and disables
# server-side cursors, which do not work through a pooler in transaction mode.
CONN_MAX_AGE = env.integer("CONN_MAX_AGE", default=60, minimum=0, maximum=86_400)

DATABASES = {
    "default": servers.database(
        "DATABASE_URL",
        fallback=f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}",
        conn_max_age=CONN_MAX_AGE,
        conn_health_checks=True,
        disable_server_side_cursors=CONN_MAX_AGE == 0,
    )
}

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: writers take the write lock before they read. WAL: readers do not block writers. LEGACY_ALTER_TABLE: a
    # migration can rebuild a table that the triggers of another table write to. TEST: the parallel connections of the
    # test suite need a database in a file.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA legacy_alter_table=ON;",
    }
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}-test"}
else:
    # A network that loses what it is given, or a machine that is gone, is noticed after half a minute. In seconds, but
    # `tcp_user_timeout` in milliseconds.
    _waits = {
        "connect_timeout": 5,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    DATABASES["default"]["OPTIONS"] = {**_waits, **DATABASES["default"].get("OPTIONS", {})}

# Seconds that a web process lets the database wait; None: as long as it takes. Commands and migrations have no limits.
# PgBouncer refuses a connection that asks for limits, so behind a pooler only those that are set count. SQLite has one
# lock for all writers, and its 20 seconds from above unless a limit is set.
_usual = (2, 15, 30) if CONN_MAX_AGE and not DATABASES["default"]["ENGINE"].endswith("sqlite3") else (None, None, None)
DB_LOCK_TIMEOUT_SECONDS = env.limit("DB_LOCK_TIMEOUT_SECONDS", default=_usual[0], maximum=3600)
DB_STATEMENT_TIMEOUT_SECONDS = env.limit("DB_STATEMENT_TIMEOUT_SECONDS", default=_usual[1], maximum=3600)
DB_IDLE_TIMEOUT_SECONDS = env.limit("DB_IDLE_TIMEOUT_SECONDS", default=_usual[2], maximum=3600)

# The counters of the rate limits: in a Redis that all processes share, or in the memory of each process.
REDIS_URL = servers.redis("REDIS_URL")

# --- Booking rules ----------------------------------------------------------------------------------------------------

BOOKING_LEAD_TIME_MINUTES = env.integer("BOOKING_LEAD_TIME_MINUTES", default=30, minimum=0, maximum=525_600)
AVAILABILITY_WINDOW_MINUTES = env.integer("AVAILABILITY_WINDOW_MINUTES", default=120, minimum=1, maximum=525_600)

# --- Accounts ---------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["core.accounts.backends.NameBackend"]
SESSION_ENGINE = "core.accounts.sessions"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "core.accounts.passwords.MaximumLengthValidator"},
    {"NAME": "core.accounts.passwords.VoidTokensOnChange"},
]

# The credentials that `ensure_superuser` and `seed_demo` create; there are no built-in values.
FIRST_SUPERUSER = {
    name: env.text(name)
    for name in ("DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_EMAIL", "DJANGO_SUPERUSER_PASSWORD")
}
DEMO_PASSWORD = env.text("DEMO_PASSWORD")

DJOSER = {
    "HIDE_USERS": False,
    "PASSWORD_RESET_CONFIRM_RETYPE": True,
    "SERIALIZERS": {
        "user_create": "core.accounts.serializers.RegistrationSerializer",
        "user": "core.accounts.serializers.UserSerializer",
        "current_user": "core.accounts.serializers.UserSerializer",
        "user_delete": "core.accounts.serializers.DeleteAccountSerializer",
        "set_password": "core.accounts.serializers.SetPasswordSerializer",
        "token_create": "core.accounts.serializers.SignInSerializer",
        "password_reset": "core.accounts.serializers.ResetPasswordSerializer",
        "password_reset_confirm_retype": "core.accounts.serializers.ResetPasswordConfirmSerializer",
    },
    "PERMISSIONS": {
        "set_password": ["rest_framework.permissions.IsAuthenticated"],
        "user": ["core.accounts.permissions.IsOwnAccountOrSuperuser"],
        "user_delete": ["core.accounts.permissions.IsOwnAccountOrSuperuser"],
        "user_list": ["core.accounts.permissions.IsSuperuser"],
    },
}

# None: tokens do not expire.
TOKEN_MAX_AGE_DAYS = env.optional_integer("TOKEN_MAX_AGE_DAYS", minimum=1, maximum=3650)

SIMPLE_JWT = {
    "AUTH_HEADER_TYPES": ("JWT",),
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    # The clocks of several machines differ a little.
    "LEEWAY": timedelta(seconds=30),
    "CHECK_REVOKE_TOKEN": True,
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "TOKEN_OBTAIN_SERIALIZER": "core.accounts.serializers.JWTSignInSerializer",
    "TOKEN_REFRESH_SERIALIZER": "core.accounts.serializers.RefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": "core.accounts.serializers.VerifySerializer",
}

# --- REST framework ---------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "core.accounts.authentication.TokenAuthentication",
        "core.accounts.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "core.api.parsing.JSONParser",
        "core.api.parsing.FormParser",
        "core.api.parsing.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["core.api.rendering.JSONRenderer", "core.api.rendering.BrowsableAPI"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.rendering.JSONUnlessStaffBrowser",
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.KeyPagination",
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttling.AnonymousThrottle", "core.api.throttling.UserThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "sign_in": env.rate("THROTTLE_SIGN_IN", "20/min"),
        "registration": env.rate("THROTTLE_REGISTRATION", "30/hour"),
        "password_reset": env.rate("THROTTLE_PASSWORD_RESET", "10/hour"),
        "anonymous": env.rate("THROTTLE_ANONYMOUS", "600/min"),
        "user": env.rate("THROTTLE_USER", "1200/min"),
        "calendar": env.rate("THROTTLE_CALENDAR", "60/min"),
    },
    "NUM_PROXIES": env.integer("TRUSTED_PROXIES", default=0, minimum=0, maximum=20),
    "EXCEPTION_HANDLER": "core.api.exception_handler.flat_error",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# The maximum size of a body in bytes; a larger body is a 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

# The OpenAPI description. Only `make schema` uses these settings; a server sends the file `openapi.yaml`.
SPECTACULAR_SETTINGS = {
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "DEFAULT_GENERATOR_CLASS": "core.schema.generator.Generator",
    "AUTHENTICATION_WHITELIST": [
        "core.accounts.authentication.TokenAuthentication",
        "core.accounts.authentication.JWTAuthentication",
    ],
    "POSTPROCESSING_HOOKS": [
        "core.calendars.schema.add_subscription",
        "core.schema.start.add_health",
        "core.schema.document.finish",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Docstrings are for developers; core/schema/components.py has the sentences for clients.
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "SORT_OPERATION_PARAMETERS": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}

# --- Single-page app --------------------------------------------------------------------------------------------------

FRONTEND_ORIGINS = env.origins("FRONTEND_URL")
FRONTEND_URL = FRONTEND_ORIGINS[0] if FRONTEND_ORIGINS else ""
# This server's origin, for links in e-mails; Render sets RENDER_EXTERNAL_URL.
PUBLIC_URL = env.origin("PUBLIC_URL") or env.origin("RENDER_EXTERNAL_URL") or ("http://127.0.0.1:8000" if DEBUG else "")
# Whether this server has a page on which people book.
BOOKING_PAGE = env.choice("BOOKING_PAGE", default="off" if FRONTEND_ORIGINS else "on", options=("on", "off")) == "on"
# Where people book: the base of links in e-mails; empty where nobody said.
HOME_URL = FRONTEND_URL or (PUBLIC_URL if BOOKING_PAGE else "")

CORS_ALLOWED_ORIGINS = FRONTEND_ORIGINS
CORS_ALLOWED_ORIGIN_REGEXES = (
    [r"https?://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?\Z", r"https://([A-Za-z0-9-]+\.)+github\.dev\Z"] if DEBUG else []
)
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"]
CORS_EXPOSE_HEADERS = [
    "Link",
    "X-Total-Count",
    "X-No-Longer-Fit",
    "Content-Disposition",
    "ETag",
    "Location",
    "Retry-After",
    "Idempotent-Replayed",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
]

# --- E-mail -----------------------------------------------------------------------------------------------------------

EMAIL_USE = env.choice("EMAIL_USE", default="console", options=("console", "smtp", "sendgrid"))
# The arguments of Django's backend for SMTP; none without EMAIL_URL.
EMAIL_SERVER = servers.mail_server("EMAIL_URL")
if EMAIL_USE == "smtp" and not EMAIL_SERVER:
    raise ImproperlyConfigured("EMAIL_URL is not set, but EMAIL_USE=smtp needs it. Set it or use console.")
SENDGRID_API_KEY = env.text("SENDGRID_API_KEY")
if EMAIL_USE == "sendgrid" and not SENDGRID_API_KEY:
    raise ImproperlyConfigured("SENDGRID_API_KEY is not set, but EMAIL_USE=sendgrid needs it. Set it or use console.")
SENDER_BY_DEFAULT = "noreply@bookingsystem.local"
FROM_EMAIL = env.address("FROM_EMAIL", SENDER_BY_DEFAULT)
FROM_NAME = env.one_line("FROM_NAME", maximum=100)
REPLY_TO = env.address("REPLY_TO", "")
TO_EMAIL = env.addresses("TO_EMAIL")
DEFAULT_FROM_EMAIL = FROM_EMAIL
# Where `print_on_console` prints, also with another EMAIL_USE.
EMAIL_CONSOLE = env.choice("EMAIL_CONSOLE", default="text", options=("text", "line"))
EMAIL_BACKEND = "core.utils.LineBackend" if EMAIL_CONSOLE == "line" else "core.utils.ConsoleBackend"
SENDGRID_HOST = env.origin("SENDGRID_HOST", "https://api.sendgrid.com")
# For one message, from connecting to the last answer of the provider. Mail servers may take their time: RFC 5321 gives
# the greeting five minutes, and ten minutes for the answer to a whole message (section 4.5.3.2).
EMAIL_TIMEOUT_SECONDS = env.integer(
    "EMAIL_TIMEOUT_SECONDS", default=30 if EMAIL_USE == "smtp" else 5, minimum=1, maximum=300
)
# How much longer a mail server has for its answer once it has the whole message: another try may double the message.
EMAIL_ANSWER_SECONDS = 4 * EMAIL_TIMEOUT_SECONDS

# The sender of messages: a thread in each web process, or processes of `manage.py deliver_notifications --watch`.
NOTIFICATIONS = env.choice("NOTIFICATIONS", default="web", options=("web", "worker"))
# A message that is due for longer is told by /health/ready/.
READY_MESSAGE_AGE_SECONDS = env.integer("READY_MESSAGE_AGE_SECONDS", default=900, minimum=60, maximum=604_800)

# --- Security ---------------------------------------------------------------------------------------------------------

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SESSION_COOKIE_SECURE = not DEBUG
# Origins of the admin beside the one that `Host` names: a proxy may send another `Host`, as GitHub Codespaces does.
CSRF_TRUSTED_ORIGINS = ([PUBLIC_URL] if PUBLIC_URL else []) + (["https://*.github.dev"] if DEBUG else [])
CSRF_COOKIE_SECURE = not DEBUG
CSRF_FAILURE_VIEW = "booking_system_api.error_pages.csrf_refused"

# Pages load only this server's files, run no inline scripts and allow no frames. The browsable API needs inline `style`
# attributes, so those are allowed.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

# --- Static files -----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "booking_system_api.storage.ForgivingManifestStorage"
    },
}

# --- Log --------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", options=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
# One line for each request and event: `time level name: message`, or an object of JSON.
LOG_FORMAT = env.choice("LOG_FORMAT", default="text", options=("text", "json"))
LOGGING = configuration(LOG_FORMAT, LOG_LEVEL)

# --- Metrics ----------------------------------------------------------------------------------------------------------

# Who asks for `/metrics` sends it; without one there are no metrics.
METRICS_TOKEN = env.word("METRICS_TOKEN")
# Where a process of `deliver_notifications --watch` serves its own; None: nowhere.
WORKER_METRICS_BIND = env.host_and_port("WORKER_METRICS_BIND")

# --- The settings file ------------------------------------------------------------------------------------------------

# Sentences for `manage.py check`. They come last, when every setting was asked for.
UNREAD_LINES = env.unread_lines()
