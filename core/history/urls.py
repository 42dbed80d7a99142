"""The URLs of histories, below `/api/`."""

from django.urls import re_path

from core.history import views

urlpatterns = [
    re_path(r"^bookings/(?P<pk>[0-9]+)/history/$", views.BookingHistoryView.as_view(), name="booking-history"),
]
