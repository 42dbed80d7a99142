"""Several verbs in one transaction, which holds all their locks from its beginning."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction

from core.models import Booking, Resource
from core.querysets import locked


@contextmanager
def together(
    *, bookings: Collection[int] = (), resources: Collection[int] = (), users: Collection[int] = ()
) -> Iterator[None]:
    """The transaction of several verbs.

    Each verb alone locks a booking, then its resources, then its user. The second verb of a transaction would lock a
    booking after the resource of the first one, and could deadlock with another transaction. So all rows are locked at
    once, in the fixed order: bookings by id, resources by id, users by id.

    Args:
        bookings: The ids of the bookings that the verbs change.
        resources: The ids of the resources that they book; those of `bookings` are locked in any case.
        users: The ids of the people for whom they book; the owners of `bookings` are locked in any case.
    """
    with transaction.atomic():
        rows = list(locked(Booking.objects.filter(pk__in=bookings)))
        # The locked rows say where a booking is by now.
        of_resources = {*resources, *(row.resource_id for row in rows)}
        of_users = {*users, *(row.user_id for row in rows)}
        len(locked(Resource.objects.filter(pk__in=of_resources)))
        len(locked(User.objects.filter(pk__in=of_users)))
        yield
