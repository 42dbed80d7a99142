"""`manage.py ensure_superuser`: creates the first superuser of a deployment."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from core import addresses
from core.accounts.identity import free_email, free_name, stored_name


class Command(BaseCommand):
    """Creates a superuser from the environment or `.env`, unless a superuser exists."""

    help = "Creates a superuser from DJANGO_SUPERUSER_USERNAME, _EMAIL and _PASSWORD if there is none."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Creates the superuser.

        Raises:
            CommandError: For a weak password, an invalid value, or a user name or address in use.
        """
        User = get_user_model()  # noqa: N806 - a class
        if User._default_manager.filter(is_superuser=True).exists():
            self.stdout.write("There is a superuser already; nothing to do.")
            return
        username, email, password = settings.FIRST_SUPERUSER.values()
        missing = [name for name, value in settings.FIRST_SUPERUSER.items() if not value]
        if missing:
            self.stdout.write(f"No superuser was made. Set {', '.join(missing)} and run this command again.")
            return
        try:
            candidate = User(username=stored_name(username), email=addresses.entered(email))
            candidate.clean_fields(exclude=["password"])
            free_name(candidate.username, except_id=None)
            free_email(candidate.email, except_id=None)
            validate_password(password, candidate)
            with transaction.atomic():
                User._default_manager.create_superuser(candidate.username, candidate.email, password)
        except ValidationError as error:
            raise CommandError("No superuser was made. " + " ".join(error.messages)) from error
        except IntegrityError as error:
            raise CommandError(
                f"No superuser was made: a user named {username} or with the address {email} is there already. "
                "Choose others, or make that one a superuser in `manage.py shell`."
            ) from error
        self.stdout.write(self.style.SUCCESS(f"Superuser {username} was made."))
