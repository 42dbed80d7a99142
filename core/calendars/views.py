"""Calendars over HTTP."""

from datetime import datetime
from typing import ClassVar, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from rest_framework import mixins, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.etags import is_fresh
from core.api.query import ListParameters
from core.api.throttling import limits_of, rate_limit_headers, seconds_to_wait
from core.api.views import ApiView
from core.calendars import feeds, reading
from core.calendars.entries import entry_of, invitation_of, publication_of
from core.calendars.limits import LIMITS
from core.calendars.models import CalendarFeed
from core.calendars.serializers import CalendarFeedSerializer
from core.models import Booking, Series
from core.permissions import IsOwnerOrStaff, IsSeriesOwnerOrStaff

CALENDAR = "text/calendar; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


class CalendarFeedViewSet(
    ApiView,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,
):
    """The caller's own calendar feeds."""

    about = "The caller's own calendar feeds."
    serializer_class = CalendarFeedSerializer
    permission_classes = (IsAuthenticated,)
    queryset = CalendarFeed.objects.none()
    lookup_value_regex = "[0-9]+"
    queries: ClassVar = {"list": ListParameters}

    def get_queryset(self) -> QuerySet[CalendarFeed]:
        caller = cast(User, self.request.user)  # `permission_classes` admit nobody else
        return CalendarFeed.objects.filter(user_id=caller.pk).select_related("resource").order_by("id")

    def create(self, request: Request) -> Response:
        """Creates a feed; only this answer shows its URL."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        feed, secret = feeds.make_feed(
            user=cast(User, request.user),
            resource_id=serializer.validated_data.get("resource_id"),
            names=serializer.validated_data.get("names"),
        )
        url = request.build_absolute_uri(reverse("calendar", args=[secret]))
        location = request.build_absolute_uri(reverse("calendar-feed-detail", args=[feed.pk]))
        headers = {"Location": location, "Cache-Control": "no-store"}
        return Response({**self.get_serializer(feed).data, "url": url}, status=201, headers=headers)


class BookingCalendarView(ApiView, APIView):
    """A booking as a calendar file."""

    about = "A booking as a calendar file."
    permission_classes = (IsOwnerOrStaff,)

    def get(self, request: Request, pk: int) -> HttpResponse:
        booking = get_object_or_404(Booking.objects.for_calendar(), pk=pk)
        self.check_object_permissions(request, booking)
        content = invitation_of(entry_of(booking), method="PUBLISH")
        return file_answer(content, name=f"booking-{booking.pk}.ics")


class SeriesCalendarView(ApiView, APIView):
    """The dates of a series that are not over as a calendar file."""

    about = "The coming dates of a series as a calendar file."
    permission_classes = (IsSeriesOwnerOrStaff,)

    def get(self, request: Request, pk: int) -> HttpResponse:
        series = get_object_or_404(Series.objects.all(), pk=pk)
        self.check_object_permissions(request, series)
        dates = Booking.objects.blocking().filter(series=series).upcoming(self.now).for_calendar()
        content = publication_of(entry_of(booking) for booking in dates.order_by("start_time", "id"))
        return file_answer(content, name=f"series-{series.pk}.ics")


def file_answer(content: bytes, *, name: str) -> HttpResponse:
    """An answer that is a calendar file."""
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(content, content_type=CALENDAR, headers={"Content-Disposition": disposition})


@csrf_exempt  # the secret in the URL is the permission, and the view stores only the day of use
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """Returns the calendar of a feed; 404 for an unknown secret and a void feed alike, without a hint.

    The answer is a 429 with `Retry-After` once a limit is used up.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    seconds = seconds_to_wait(request, LIMITS)
    rest = rate_limit_headers(limits_of(request))
    if seconds:
        text = f"Too many requests for this calendar. Try again in {seconds} seconds."
        return HttpResponse(text, status=429, content_type=PLAIN, headers={"Retry-After": str(seconds), **rest})
    now: datetime = timezone.now()
    feed = feeds.open_feed(secret, now=now)
    if feed is None:
        raise Http404
    version = reading.version_of(feed, now=now)
    tag = f'"{version.tag}"'
    headers = {"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex", "ETag": tag, **rest}
    if is_fresh(request, tag):
        response = HttpResponse(status=304, headers=headers)
        del response.headers["Content-Type"]
        return response
    copy = reading.content_of(feed, version, now=now)
    if copy.version != version.tag:
        del headers["ETag"]
    return HttpResponse(copy.content, content_type=CALENDAR, headers=headers)
