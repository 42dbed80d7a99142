"""Calendars over HTTP."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from rest_framework import mixins, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.query import PAGING, require_known
from core.calendars import feeds
from core.calendars.entries import calendar_of, entry_of, invitation_of
from core.calendars.models import CalendarFeed
from core.calendars.serializers import CalendarFeedSerializer
from core.models import Booking
from core.permissions import IsOwnerOrStaff

CALENDAR = "text/calendar; charset=utf-8"


class CalendarFeedViewSet(
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,
):
    """One's own calendar feeds."""

    serializer_class = CalendarFeedSerializer
    permission_classes = (IsAuthenticated,)
    queryset = CalendarFeed.objects.none()
    lookup_value_regex = "[0-9]+"

    def get_queryset(self):  # noqa: ANN201
        """The caller's own."""
        return CalendarFeed.objects.filter(user_id=self.request.user.pk).select_related("resource").order_by("id")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """All of them, or the page asked for."""
        require_known(request, PAGING)
        return super().list(request, *args, **kwargs)

    def create(self, request: Request) -> Response:
        """Make one; its address is in this answer and nowhere else."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        feed, secret = feeds.make_feed(user=request.user, **serializer.wanted())
        address = request.build_absolute_uri(reverse("calendar", args=[secret]))
        location = request.build_absolute_uri(reverse("calendar-feed-detail", args=[feed.pk]))
        headers = {"Location": location, "Cache-Control": "no-store"}
        return Response({**self.get_serializer(feed).data, "url": address}, status=201, headers=headers)


class BookingCalendarView(APIView):
    """A booking as a file that calendar programs open."""

    permission_classes = (IsOwnerOrStaff,)

    def get(self, request: Request, pk: int) -> HttpResponse:
        """The file."""
        booking = get_object_or_404(Booking.objects.in_full(), pk=pk)
        self.check_object_permissions(request, booking)
        content = invitation_of(entry_of(booking), method="PUBLISH")
        name = f'attachment; filename="booking-{booking.pk}.ics"'
        return HttpResponse(content, content_type=CALENDAR, headers={"Content-Disposition": name})


@csrf_exempt  # the address itself is the permission, and nothing is changed
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """What a subscriber asks for. A wrong or void secret is a 404 without a hint."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    now: datetime = timezone.now()
    feed = feeds.open_feed(secret, now=now)
    if feed is None:
        raise Http404
    shown = feeds.entries(feed, now=now)
    tag = f'"{feeds.version(feed, shown)}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"}
    known = get_conditional_response(request, etag=tag)
    if known is not None:
        return HttpResponse(status=known.status_code, headers=headers)
    name = feed.resource.name if feed.resource else "My bookings"
    return HttpResponse(calendar_of(shown, name=name), content_type=CALENDAR, headers=headers)
