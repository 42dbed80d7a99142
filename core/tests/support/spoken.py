"""Prints the sentences of the API, the admin and the commands as JSON, by name.

python -OO -m core.tests.support.spoken
"""

import json
import sys
from collections.abc import Iterator

import django
from django.conf import settings
from django.contrib import admin
from django.core.management import get_commands, load_command_class
from django.urls import get_resolver


def errors() -> Iterator[tuple[str, str]]:
    """The sentences of the errors of bookings, and of three errors of the API."""
    from rest_framework.test import APIClient

    from core.errors import BookingError

    classes: list[type[BookingError]] = [BookingError]
    for each in classes:
        classes += each.__subclasses__()
        yield each.__name__, each.message
    client = APIClient()
    for method, path in (("get", "/api/nothing/"), ("put", "/api/"), ("get", "/api/bookings/")):
        yield f"{method} {path}", getattr(client, method)(path).json()["detail"]


def views() -> Iterator[tuple[str, str]]:
    """The sentence of each view, as OPTIONS sends it and as its page shows it."""
    from core.tests.support.routes import leaves

    for address, pattern in leaves(get_resolver().url_patterns):
        view = pattern.callback.cls(**pattern.callback.initkwargs)
        view.action_map = getattr(pattern.callback, "actions", None)
        yield f"OPTIONS {address}", view.get_view_description()
        yield f"page {address}", view.get_view_description(html=True)


def actions() -> Iterator[tuple[str, str]]:
    """The names of the admin's actions."""
    for model, model_admin in admin.site._registry.items():
        for name in model_admin.actions or ():
            _, _, description = model_admin.get_action(name)
            yield f"{model.__name__} {name}", description


def commands() -> Iterator[tuple[str, str]]:
    """The help of our commands and of their options."""
    for name, app in get_commands().items():
        if app == "core":
            yield f"manage.py {name}", load_command_class(app, name).create_parser("manage.py", name).format_help()


if __name__ == "__main__":
    django.setup()
    settings.SECURE_SSL_REDIRECT = False
    said = {name: str(text) for part in (errors, views, actions, commands) for name, text in part()}
    json.dump(said, sys.stdout)
