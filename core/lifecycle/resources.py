"""The verbs of a resource."""

from django.db import transaction
from django.db.models import ProtectedError

from core import errors
from core.models import Resource
from core.querysets import locked


@transaction.atomic
def delete_resource(resource: Resource) -> None:
    """Deletes a resource without bookings.

    Raises:
        ResourceHasBookings: When the resource has bookings, of whatever status.
    """
    # Wait for concurrent bookings of the resource. The API has locked the row already, the admin has not.
    locked(Resource.objects.filter(pk=resource.pk)).first()
    try:
        resource.delete()
    except ProtectedError as error:
        raise errors.ResourceHasBookings from error
