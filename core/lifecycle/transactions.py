"""What the verbs share: their transaction, their locks in a fixed order, and the write of a booking.

The order of locks is always the same: bookings by id, resources by id, users by id.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from core import errors
from core.conflicts import NotFree, slot_taken
from core.constraints import as_booking_error
from core.models import Booking, Resource
from core.querysets import locked

Check = Callable[[Booking], None]


@contextmanager
def writing(*, now: datetime, dry_run: bool = False) -> Iterator[None]:
    """The transaction of a verb.

    Converts a conflict into `SlotTaken` with suggestions after the end of the transaction. Converts any other violation
    of a constraint into the error that a check would have raised.

    Args:
        now: The present moment.
        dry_run: True: write, let the constraints check, roll back, send nothing.
    """
    try:
        with transaction.atomic():
            yield
            if dry_run:
                transaction.set_rollback(True)
    except NotFree as conflict:
        raise slot_taken(conflict, now=now) from conflict
    except IntegrityError as violation:
        error = as_booking_error(violation)
        if error is None:
            raise
        raise error from violation


def lock(booking: Booking, check: Check | None = None) -> Booking:
    """Locks a booking until the transaction ends, reads it again and checks it.

    The row is locked alone. After a wait PostgreSQL compares the new row with the joined rows of its first look, and
    would find nothing if the booking was moved to another resource in between.

    Raises:
        BookingMissing: When somebody deleted the row.
    """
    row: Booking | None = locked(Booking.objects.filter(pk=booking.pk)).first()
    if row is None:
        raise errors.BookingMissing
    row.user = booking.user  # nobody hands a booking over
    if row.resource_id == booking.resource_id:
        row.resource = booking.resource
    if check is not None:
        check(row)
    return row


def lock_resources(*ids: int) -> dict[int, Resource]:
    """Locks resources in key order; the resources by id.

    Raises:
        ResourceMissing: When one of them does not exist.
    """
    resources = {resource.pk: resource for resource in locked(Resource.objects.filter(pk__in=set(ids)))}
    if set(ids) - set(resources):
        raise errors.ResourceMissing
    return resources


def save(booking: Booking, **options: Any) -> None:  # noqa: ANN401 - Model.save's own
    """Writes the row.

    Raises:
        NotFree: When the slot violates the constraint against overlaps.
    """
    try:
        booking.save(**options)
    except IntegrityError as violation:
        if isinstance(as_booking_error(violation), errors.SlotTaken):
            raise NotFree(booking) from violation
        raise


def find_user(user_id: int) -> User:
    """The user with the id.

    Raises:
        UserMissing: When no user has the id.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise errors.UserMissing
    return user
