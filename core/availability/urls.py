"""The URLs of the availability endpoints."""

from django.urls import path, re_path

from core.availability import views

urlpatterns = [
    path("availability/", views.FirstSlotsView.as_view(), name="availability"),
    re_path(r"^resources/(?P<pk>[0-9]+)/availability/$", views.TimelineView.as_view(), name="resource-availability"),
    re_path(r"^resources/(?P<pk>[0-9]+)/slots/$", views.SlotsView.as_view(), name="resource-slots"),
]
