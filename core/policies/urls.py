"""The URLs of policies, opening hours, exceptions, open spans and quotas, below `/api/`."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from core.policies import views

router = SimpleRouter()
router.register("quotas", views.QuotaViewSet)

ALL = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
of_all, of_resource = views.OpeningExceptionViewSet, views.ResourceExceptionViewSet
policy = views.PolicyViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"})
week = views.OpeningHoursViewSet.as_view({"get": "retrieve", "put": "update"})

OF_RESOURCE = r"^resources/(?P<resource_id>[0-9]+)/opening-exceptions/"
RESOURCE = r"^resources/(?P<pk>[0-9]+)/"

urlpatterns = [
    re_path(rf"{RESOURCE}policy/$", policy, name="resource-policy"),
    re_path(rf"{RESOURCE}opening-hours/$", week, name="resource-opening-hours"),
    re_path(rf"{RESOURCE}open/$", views.OpenView.as_view(), name="resource-open"),
    re_path(rf"{OF_RESOURCE}$", of_resource.as_view(ALL), name="resource-opening-exception-list"),
    re_path(rf"{OF_RESOURCE}(?P<pk>[0-9]+)/$", of_resource.as_view(ONE), name="resource-opening-exception-detail"),
    path("opening-exceptions/", of_all.as_view(ALL), name="opening-exception-list"),
    re_path(r"^opening-exceptions/(?P<pk>[0-9]+)/$", of_all.as_view(ONE), name="opening-exception-detail"),
    path("profile/quotas/", views.AllowancesView.as_view(), name="profile-quotas"),
    *router.urls,
]
