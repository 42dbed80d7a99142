"""The history of a booking over HTTP."""

from typing import NamedTuple

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.history.serializers import ActSerializer, HistoryParameters
from core.models import Booking
from core.permissions import IsOwnerOrStaff
from core.record.models import BookingEvent


class Owned(NamedTuple):
    """A booking, whether its row exists or not, as far as the permission asks."""

    user_id: int | None


class BookingHistoryView(ApiView, generics.ListAPIView):
    """What was done to a booking, newest first; also after the row of the booking was removed."""

    about = "What was done to a booking, newest first."
    serializer_class = ActSerializer
    permission_classes = (IsOwnerOrStaff,)
    query = HistoryParameters
    queryset = BookingEvent.objects.none()

    def get(self, request: Request, pk: str) -> Response:
        """Lists the acts for the owner of the booking and for staff."""
        self.check_object_permissions(request, Owned(owner_of(pk)))
        return self.list(request)

    def get_queryset(self) -> QuerySet[BookingEvent]:
        """The acts on the booking that the caller may read."""
        acts = BookingEvent.objects.filter(booking_id=self.kwargs["pk"]).order_by("-id")
        return acts if self.request.user.is_staff else acts.filter(for_staff=False)


def owner_of(booking_id: str) -> int | None:
    """The id of the user of a booking, or of a removed booking as the record has it; None for a deleted account.

    Raises:
        Http404: When there is neither a booking nor a record of one.
    """
    try:
        key = int(booking_id)
    except ValueError as error:  # Python reads at most 4300 digits
        raise Http404 from error
    booked = Booking.objects.filter(pk=key).values_list("user_id", flat=True)
    recorded = BookingEvent.objects.filter(booking_id=key).values_list("owner_id", flat=True)[:1]
    for owner in booked or recorded:
        return owner
    raise Http404
