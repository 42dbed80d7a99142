"""The root URLs."""

from django.contrib import admin
from django.urls import include, path

from booking_system_api.views import favicon, health
from core.views import NothingHereView

urlpatterns = [
    path("health/", health, name="health"),
    path("favicon.ico", favicon, name="favicon"),
    path("admin/", admin.site.urls),
    path("api/", include("core.urls")),
    path("api", NothingHereView.as_view()),
]
