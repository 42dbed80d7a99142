"""The addresses of the booking page: one document for all of them. Nothing else is ever answered with the page."""

from django.urls import URLPattern, path, re_path

from core.page import views

# What follows the first slash; the page itself says so where nothing of that name is there.
ADDRESSES = (
    r"day(?:/[0-9]{4}-[0-9]{2}-[0-9]{2})?",
    r"resources/[0-9]{1,19}",
    r"bookings(?:/[0-9]{1,19})?",
    r"series/[0-9]{1,19}",
    r"account",
    r"sign-in",
    r"register",
    r"forgotten-password",
    r"password-reset/[0-9A-Za-z_-]{1,64}/[0-9A-Za-z-]{1,100}",
)

urlpatterns: list[URLPattern] = [
    path("", views.front, name="front"),
    re_path(rf"^(?:{'|'.join(ADDRESSES)})/?$", views.page, name="page"),
]
