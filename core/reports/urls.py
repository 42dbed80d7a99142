"""The URLs of the reports, below `/api/`."""

from django.urls import path

from core.reports import views

urlpatterns = [path("reports/utilisation/", views.UtilisationViewSet.as_view({"get": "list"}), name="utilisation")]
