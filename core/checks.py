"""Warns about probable mistakes in the settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


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
