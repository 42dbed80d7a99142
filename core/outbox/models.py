"""The columns of every outbox table: the state of a row, its next try, and its claim."""

from typing import ClassVar

from django.db import models


class State(models.TextChoices):
    """The state of a row."""

    WAITING = "waiting", "waiting"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    DROPPED = "dropped", "dropped"


class OutboxRow(models.Model):
    """A row that is delivered after the commit of the transaction that wrote it.

    Attributes:
        queue: Names of columns. Rows with equal values in all of these columns are delivered one after the other,
            oldest first; a null equals nothing. Without names no row waits for another.
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
