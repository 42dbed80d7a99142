"""Pages of the admin that belong to no table."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.http import HttpRequest
from django.views.generic import TemplateView

from core.staff.site import BookingAdminSite


class StaffPage(TemplateView):
    """A page for all staff, with the look of the admin; `BookingAdminSite.add_page` gives it an address.

    Attributes:
        title: The heading.
        styles: Style sheets beside those of the admin.
        scripts: Scripts; the page works without them.
    """

    title: ClassVar[str]
    styles: ClassVar[tuple[str, ...]] = ("core/admin/desk.css",)
    scripts: ClassVar[tuple[str, ...]] = ()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's own
        common = admin.site.each_context(self.request)
        # The pages need the width, and their own head leads everywhere.
        own = {"title": self.title, "styles": self.styles, "scripts": self.scripts, "is_nav_sidebar_enabled": False}
        return super().get_context_data(**{**common, **own, **kwargs})


def add_page(route: str, view: type[StaffPage], name: str, label: str = "") -> None:
    """Gives a page its address in the admin; see `BookingAdminSite.add_page`."""
    cast(BookingAdminSite, admin.site).add_page(route, view, name, label)


def add_block(block: Callable[[HttpRequest], str]) -> None:
    """Gives the first page of the admin a block; see `BookingAdminSite.add_block`."""
    cast(BookingAdminSite, admin.site).add_block(block)
