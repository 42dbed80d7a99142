"""The root URLs."""

from django.contrib import admin
from django.urls import include, path

from booking_system_api.views import favicon, health, metrics, ready
from core.api.views import NothingHereView
from core.calendars.views import calendar
from core.notifications.urls import page_urls

handler400 = "booking_system_api.error_pages.bad_request"
handler403 = "booking_system_api.error_pages.forbidden"
handler404 = "booking_system_api.error_pages.not_found"
handler500 = "booking_system_api.error_pages.server_error"

urlpatterns = [
    path("health/", health, name="health"),
    path("health/ready/", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("favicon.ico", favicon, name="favicon"),
    path("admin/", admin.site.urls),
    path("calendars/<str:secret>.ics", calendar, name="calendar"),
    path("notifications/", include(page_urls)),
    path("api/", include("core.urls")),
    path("api", NothingHereView.as_view()),
    path("", include("core.page.urls")),
]
