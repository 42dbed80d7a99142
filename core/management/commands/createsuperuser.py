"""`manage.py createsuperuser`: Django's command, with the rules for user names and addresses of this product."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import IntegrityError

from core.accounts.identity import free_name, stored_name
from core.constraints import as_booking_error


class Command(createsuperuser.Command):
    """Creates a superuser; a name or address that is taken in any case ends in a sentence."""

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Creates the superuser.

        Raises:
            CommandError: For an invalid value, or a user name or address in use.
        """
        try:
            super().handle(*args, **options)
        except IntegrityError as error:
            known = as_booking_error(error)
            raise CommandError(known.message if known else str(error)) from error

    def _validate_username(self, username: str, verbose_field_name: str, database: str) -> str | None:
        """The error of a user name; None for a free name."""
        name = stored_name(username)
        error: str | None = super()._validate_username(name, verbose_field_name, database)  # type: ignore[misc]
        if error:
            return error
        try:
            free_name(name, except_id=None)
        except ValidationError as refusal:
            return f"Error: {' '.join(refusal.messages)}"
        return None
