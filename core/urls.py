"""The API's addresses."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from core import views
from core.accounts import views as accounts
from core.api.views import NothingHereView
from core.schema.views import RedocView, SchemaView, SwaggerView

router = SimpleRouter()
router.register("resources", views.ResourceViewSet)
router.register("bookings", views.BookingViewSet)

urlpatterns = [
    path("", views.RootView.as_view(), name="api-root"),
    path("", include(router.urls)),
    path("house/", views.HouseView.as_view(), name="house"),
    path("bookings/bulk/", views.BulkBookingsView.as_view(), name="booking-bulk"),
    path("profile/picture/", accounts.ProfilePictureView.as_view(), name="profile-picture"),
    path("profile/picture/delete/", accounts.ProfilePictureDeleteView.as_view(), name="profile-picture-delete"),
    path("", include("core.availability.urls")),
    path("", include("core.calendars.urls")),
    path("", include("core.history.urls")),
    path("", include("core.notifications.urls")),
    path("", include("core.policies.urls")),
    path("", include("core.policies.closure_urls")),
    path("", include("core.reports.urls")),
    path("", include("core.series.urls")),
    path("auth/", include("core.accounts.urls")),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SwaggerView.as_view(), name="docs"),
    path("redoc/", RedocView.as_view(), name="redoc"),
    re_path(r"", NothingHereView.as_view(), name="nothing-here"),
]
