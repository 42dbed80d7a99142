"""The URLs of calendars, below `/api/`."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from core.calendars import views

router = SimpleRouter()
router.register("calendar-feeds", views.CalendarFeedViewSet, basename="calendar-feed")

urlpatterns = [
    re_path(r"^bookings/(?P<pk>[0-9]+)/calendar\.ics$", views.BookingCalendarView.as_view(), name="booking-calendar"),
    re_path(r"^series/(?P<pk>[0-9]+)/calendar\.ics$", views.SeriesCalendarView.as_view(), name="series-calendar"),
    *router.urls,
]
