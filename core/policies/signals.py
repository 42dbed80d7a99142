"""Connects the tables of rules to the flags of their resources, whichever way writes a row."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete

from core.models import Resource
from core.policies.models import Quota
from core.policies.writing import TABLES, hold, settle


def connect() -> None:
    """Receives the signals of the tables of rules and of groups; connecting twice counts once."""
    for table in TABLES:
        name = f"core.policies.{table.__name__}"
        post_save.connect(on_saved, sender=table, dispatch_uid=name)
        post_delete.connect(on_deleted, sender=table, dispatch_uid=name)
    pre_delete.connect(before_group_is_deleted, sender=Group, dispatch_uid="core.policies.before_group_is_deleted")


def on_saved(sender: type, instance: Any, raw: bool = False, **kwargs: object) -> None:  # noqa: ANN401 - a row of rules
    """Settles the resource of a saved row; receives `post_save`."""
    if not raw:
        settle(instance.resource_id)


def on_deleted(sender: type, instance: Any, origin: Any = None, **kwargs: object) -> None:  # noqa: ANN401
    """Settles the resource of a deleted row, unless the resource is deleted with it; receives `post_delete`."""
    if getattr(origin, "model", type(origin)) is not Resource:
        settle(instance.resource_id)


def before_group_is_deleted(sender: type, instance: Group, **kwargs: object) -> None:
    """Locks the resources of the group's quotas in the order of all locks; receives `pre_delete`."""
    if transaction.get_connection().in_atomic_block:
        hold(Quota.objects.filter(group=instance).values("resource_id"))
