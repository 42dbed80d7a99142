"""Finds mistakes in the settings and in the database."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from core.constraints import locale_problem


@register()
def frontend_url_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401
    """Warns that no `FRONTEND_URL` is set: reset mails then have no link, and no single-page app may call the API."""
    if settings.FRONTEND_ORIGINS or settings.DEBUG:
        return []
    return [
        Warning(
            "FRONTEND_URL is not set: no single-page app may call the API, and password reset mails give uid and "
            "token in words instead of a link.",
            hint="Set FRONTEND_URL to the origin of the single-page app, such as https://app.example.org.",
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


@register()
def every_line_is_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401
    """Warns of lines in the settings file that set nothing, such as one with a misspelt name."""
    return [Warning(sentence, id="core.W002") for sentence in settings.UNREAD_LINES]
