"""Finds mistakes in the settings and in the database."""

import os
import stat
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from core.constraints import guard_problem, locale_problem


@register()
def frontend_url_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401
    """Warns that no `FRONTEND_URL` is set: reset mails then have no link, and no single-page app may call the API.

    The booking page, under `PUBLIC_URL`, would be another place for people to go.
    """
    if settings.FRONTEND_ORIGINS or settings.DEBUG or (settings.BOOKING_PAGE and settings.PUBLIC_URL):
        return []
    return [
        Warning(
            "FRONTEND_URL is not set: no single-page app may call the API, and password reset mails give uid and "
            "token in words instead of a link.",
            hint="Set FRONTEND_URL to the origin of the single-page app, such as https://app.example.org. With the "
            "booking page on, set PUBLIC_URL to the origin of this server.",
            id="core.W001",
        )
    ]


@register(Tags.database)
def database_folds_case(
    app_configs: Any,  # noqa: ANN401 - Django's own
    databases: Sequence[str] | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> list[CheckMessage]:
    """Stops `migrate` on a database that folds the case of ASCII letters only, such as a restored one."""
    problems = [locale_problem(connections[alias]) for alias in databases or ()]
    return [Error(problem, id="core.E001") for problem in problems if problem]


@register(Tags.database)
def no_slot_is_taken_twice(
    app_configs: Any,  # noqa: ANN401 - Django's own
    databases: Sequence[str] | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> list[CheckMessage]:
    """Finds a database without the guard against double bookings, such as one whose restore was not complete."""
    problems = [guard_problem(connections[alias]) for alias in databases or ()]
    hint = "Restore the backup again, as a whole, or put the guard back as docs/operating.md says."
    return [Error(problem, hint=hint, id="core.E002") for problem in problems if problem]


@register(deploy=True)
def production_is_meant(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's own
    """Warns of settings that suit a developer's machine, and of forgotten ones."""
    if settings.DEBUG:
        return []
    file = settings.SETTINGS_FILE
    found = [
        (
            settings.EMAIL_USE == "console",
            "core.W003",
            "EMAIL_USE is console: e-mails are printed and reach nobody.",
            "Set EMAIL_USE to smtp with EMAIL_URL, or to sendgrid with SENDGRID_API_KEY.",
        ),
        (
            not settings.PUBLIC_URL,
            "core.W004",
            "PUBLIC_URL is not set: e-mails have no links to unsubscribe and to confirm an address.",
            "Set PUBLIC_URL to the origin of this server, such as https://booking.example.org.",
        ),
        (
            settings.HOSTS_SET_TO_NOTHING,
            "core.W005",
            "ALLOWED_HOSTS is set to nothing: only requests to localhost and 127.0.0.1 are answered.",
            "Set ALLOWED_HOSTS to the host names of this server, separated by commas.",
        ),
        (
            others_can_read(file),
            "core.W006",
            f"{file.name} holds secrets, and every user of this machine can read it.",
            f"Take that right away: chmod o= {file.name}",
        ),
        (
            settings.EMAIL_USE != "console" and settings.FROM_EMAIL == settings.SENDER_BY_DEFAULT,
            "core.W007",
            f"FROM_EMAIL is not set: e-mails come from {settings.FROM_EMAIL}, whose domain is nobody's.",
            "Set FROM_EMAIL to an address that your provider lets you send from.",
        ),
        (
            is_bare(settings.EMAIL_USE, settings.EMAIL_SERVER),
            "core.W008",
            "EMAIL_URL begins with smtp: the password travels to the mail server unencrypted.",
            "Begin it with smtp+tls or smtps, whichever the mail server has.",
        ),
    ]
    return [Warning(message, hint=hint, id=code) for is_so, code, message, hint in found if is_so]


def is_bare(use: str, server: Mapping[str, Any]) -> bool:
    """True if a password is sent to a distant mail server without encryption."""
    is_encrypted = use != "smtp" or server["use_tls"] or server["use_ssl"]
    return not is_encrypted and bool(server["password"]) and not is_near(server["host"])


def is_near(host: str) -> bool:
    """True for this machine, a private address, and a name that only a private network knows."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local"))


def others_can_read(path: Path) -> bool:
    """True for a file that users beside its owner and its group can read; on Windows never, where modes say nothing."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)


@register()
def every_line_is_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401
    """Warns of lines in the settings file that set nothing, such as one with a misspelt name."""
    return [Warning(sentence, id="core.W002") for sentence in settings.UNREAD_LINES]
