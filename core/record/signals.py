"""Connects the record to the deletion of accounts, whichever view or command deletes them."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.signals import pre_delete

from core.record.writing import blank


def connect() -> None:
    """Receives `pre_delete` of users; connecting twice counts once."""
    pre_delete.connect(on_user_deletion, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.record.on_user_deletion")


def on_user_deletion(sender: type, instance: User, **kwargs: object) -> None:
    """Blanks the words of the user, in the transaction of the deletion."""
    blank(instance)
