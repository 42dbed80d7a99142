"""The verbs of a resource."""

from django.db import transaction
from django.db.models import ProtectedError

from core import errors
from core.choices import Kind
from core.models import Booking, Closure, Resource
from core.querysets import locked


@transaction.atomic
def delete_resource(resource: Resource) -> None:
    """Deletes a resource without bookings, the rows of its closures, and each closure without any other resource.

    Raises:
        ResourceHasBookings: When the resource has bookings, of whatever status.
    """
    # Wait for concurrent bookings of the resource. The API has locked the row already, the admin has not.
    locked(Resource.objects.filter(pk=resource.pk)).first()
    closures = list(Closure.objects.filter(resources=resource).values_list("pk", flat=True))
    Booking.taken.filter(resource=resource, kind=Kind.CLOSURE).delete()
    try:
        resource.delete()
    except ProtectedError as error:
        raise errors.ResourceHasBookings from error
    Closure.objects.filter(pk__in=closures, resources=None).delete()
