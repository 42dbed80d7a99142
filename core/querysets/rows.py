"""Rows by the name of their model, because `core.models` imports this package; and the lock of rows."""

from typing import Any, TypeVar

from django.apps import apps
from django.db import models

Row = TypeVar("Row", bound=models.Model)


def all_bookings() -> Any:  # noqa: ANN401 - a BookingQuerySet, whose module imports this one
    """Every booking and closure."""
    return apps.get_model("core", "Booking").taken.all()


def rows_of(model: str) -> models.QuerySet[Any]:
    """The rows of a table."""
    rows: models.QuerySet[Any] = apps.get_model("core", model)._default_manager.all()
    return rows


def locked(queryset: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """Locks the rows until the transaction ends, in key order; inserts with a foreign key to them do not wait.

    SQLite has one write lock for the whole database; each transaction takes that lock at its beginning.
    """
    return queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")
