"""The columns of every outbox table: what became of a row, when it is due, and who has claimed it."""

from typing import ClassVar

from django.db import models


class State(models.TextChoices):
    """What became of a row."""

    WAITING = "waiting", "waiting"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    DROPPED = "dropped", "dropped"


class OutboxRow(models.Model):
    """A row to be delivered after the commit of the transaction that wrote it.

    Attributes:
        queue: Columns; rows that are equal in all of them are delivered one after the other, oldest first. Nulls are
            not equal to each other. Without columns no row waits for another.
    """

    queue: ClassVar[tuple[str, ...]] = ()

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField("next try")
    retry_until = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True, help_text="Whoever delivers it now.")
    claimed_until = models.DateTimeField(null=True, help_text="When the claim ends by itself.")

    class Meta:
        abstract = True
