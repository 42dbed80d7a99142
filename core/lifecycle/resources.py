"""The verbs of a resource."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import ProtectedError

from core import errors
from core.choices import Kind
from core.models import Booking, Closure, Resource, Series
from core.querysets import locked


@transaction.atomic
def delete_resource(resource: Resource, *, check: Callable[[], None] | None = None) -> None:
    """Deletes a resource without bookings, the rows of its closures, and each closure without any other resource.

    A series of the resource whose dates are all removed goes with it.

    Args:
        resource: The resource.
        check: Called after the locks; raises an error to refuse.

    Raises:
        ResourceHasBookings: When the resource has bookings, of whatever status, or a series that has.
    """
    len(locked(Series.objects.filter(resource=resource)))
    # Wait for concurrent bookings of the resource.
    locked(Resource.objects.filter(pk=resource.pk)).first()
    if check is not None:
        check()
    closures = list(Closure.objects.filter(resources=resource).values_list("pk", flat=True))
    Booking.taken.filter(resource=resource, kind=Kind.CLOSURE).delete()
    Series.objects.filter(resource=resource, bookings=None).delete()
    try:
        resource.delete()
    except ProtectedError as error:
        raise errors.ResourceHasBookings from error
    Closure.objects.filter(pk__in=closures, resources=None).delete()
