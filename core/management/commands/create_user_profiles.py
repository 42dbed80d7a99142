"""`manage.py create_user_profiles`: creates the profiles of users from a bulk import, which sends no signals."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from core.models import UserProfile

BATCH_SIZE = 1000


class Command(BaseCommand):
    """Creates a profile for every user without one, in batches."""

    help = "Gives every user without a profile one."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        created = 0
        users = get_user_model()._default_manager.filter(profile=None).order_by("pk").values_list("pk", flat=True)
        while ids := list(users[:BATCH_SIZE]):
            UserProfile.objects.bulk_create([UserProfile(user_id=pk) for pk in ids], ignore_conflicts=True)
            created += len(ids)
            if len(ids) == BATCH_SIZE:
                self.stdout.write(f"{created} profiles so far ...")
        self.stdout.write(self.style.SUCCESS(f"{created} profiles were made."))
