"""The URLs of policies, opening hours, exceptions, open spans and quotas, below `/api/`."""

from typing import Any

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from core.policies import views

# What the stubs of `as_view` want.
Actions = dict[str, Any]

router = SimpleRouter()
router.register("quotas", views.QuotaViewSet)

ALL: Actions = {"get": "list", "post": "create"}
ONE: Actions = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
of_all, of_resource = views.OpeningExceptionViewSet, views.ResourceExceptionViewSet
WEEK: Actions = {"get": "retrieve", "put": "update"}
POLICY: Actions = {**WEEK, "delete": "destroy"}

OF_RESOURCE = r"^resources/(?P<resource_id>[0-9]+)/opening-exceptions/"
RESOURCE = r"^resources/(?P<pk>[0-9]+)/"

urlpatterns = [
    re_path(rf"{RESOURCE}policy/$", views.PolicyViewSet.as_view(POLICY), name="resource-policy"),
    re_path(rf"{RESOURCE}opening-hours/$", views.OpeningHoursViewSet.as_view(WEEK), name="resource-opening-hours"),
    re_path(rf"{RESOURCE}open/$", views.OpenView.as_view(), name="resource-open"),
    re_path(rf"{OF_RESOURCE}$", of_resource.as_view(ALL), name="resource-opening-exception-list"),
    re_path(rf"{OF_RESOURCE}(?P<pk>[0-9]+)/$", of_resource.as_view(ONE), name="resource-opening-exception-detail"),
    path("opening-exceptions/", of_all.as_view(ALL), name="opening-exception-list"),
    re_path(r"^opening-exceptions/(?P<pk>[0-9]+)/$", of_all.as_view(ONE), name="opening-exception-detail"),
    path("profile/quotas/", views.AllowancesView.as_view(), name="profile-quotas"),
    *router.urls,
]
