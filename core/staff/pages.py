"""Pages of the admin that belong to no table."""

from typing import Any, ClassVar

from django.contrib import admin
from django.views.generic import TemplateView


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
        own = {"title": self.title, "styles": self.styles, "scripts": self.scripts}
        return super().get_context_data(**{**common, **own, **kwargs})
