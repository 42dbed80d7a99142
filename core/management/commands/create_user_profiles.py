"""`manage.py create_user_profiles`: a profile for users who came by bulk import."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from core.models import UserProfile

BATCH_SIZE = 1000


class Command(BaseCommand):
    """Gives every user without a profile one."""

    help = "Gives every user without a profile one."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Make them in batches, and say how many."""
        made = 0
        without = get_user_model()._default_manager.filter(profile=None).order_by("pk").values_list("pk", flat=True)
        while ids := list(without[:BATCH_SIZE]):
            UserProfile.objects.bulk_create([UserProfile(user_id=pk) for pk in ids], ignore_conflicts=True)
            made += len(ids)
            if len(ids) == BATCH_SIZE:
                self.stdout.write(f"{made} profiles so far ...")
        self.stdout.write(self.style.SUCCESS(f"{made} profiles were made."))
