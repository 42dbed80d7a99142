"""Django's admin with the API's sign-in limits, and pickers for staff without access to accounts."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.views import View

from core.api.throttling import SIGN_IN, seconds_to_wait
from core.staff.forms import SearchForm
from core.zones import zone_of

# How many of the caller's own actions the first page shows.
RECENT = 10


class Page(NamedTuple):
    """A page of the admin that belongs to no table; one with a label stands in the head of each page."""

    route: str
    view: type[View]
    name: str
    label: str


class FieldPicker(AutocompleteJsonView):
    """The choices of a form's field, for everyone who may fill in that form.

    Django itself demands permission to view the objects of the picker. Ordinary staff book for users, but have no
    access to accounts. So the picker gives them names, and nothing else.
    """

    def has_perm(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the caller may fill in the form with this field."""
        try:
            form_admin = self.admin_site.get_model_admin(self.source_field.model)
        except NotRegistered:
            return False
        may_fill_in = form_admin.has_add_permission(request) or form_admin.has_change_permission(request)
        return may_fill_in and self.source_field.name in form_admin.get_autocomplete_fields(request)

    def get_queryset(self) -> QuerySet:
        """The matching rows; none for a search that is too long."""
        if not SearchForm({"q": self.term}).is_valid():
            return self.model_admin.model._default_manager.none()
        return super().get_queryset()

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        """The key and the label of a row; a user's label includes the full name."""
        option = super().serialize_result(obj, to_field_name)
        full_name = obj.get_full_name() if hasattr(obj, "get_full_name") else ""
        return {**option, "text": f"{option['text']} ({full_name})"} if full_name else option


class BookingAdminSite(AdminSite):
    """The admin; its sign-in form shares the rate limits of the API's sign-in."""

    site_header = site_title = "Booking system"
    index_title = "What to look after"
    index_template = "core/staff/index.html"
    site_url = settings.FRONTEND_URL or "/"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[Page] = []
        self.blocks: list[Callable[[HttpRequest], str]] = []

    def add_page(self, route: str, view: type[View], name: str, label: str = "") -> None:
        """Gives a page its address below that of the admin.

        Args:
            route: The address, such as `queue/`.
            view: The page.
            name: The name of the address: `admin:` and this word.
            label: The word that leads there from each page; empty for a page that others lead to.
        """
        self.pages.append(Page(route, view, name, label))

    def add_block(self, block: Callable[[HttpRequest], str]) -> None:
        """Gives the first page a block above the tables: a function that answers safe HTML for a request."""
        self.blocks.append(block)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        own = [path(page.route, self.admin_view(page.view.as_view()), name=page.name) for page in self.pages]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:  # noqa: FBT001, FBT002 - Django's own
        """A page in the time zone of its reader: the current zone until the page is rendered, and no longer."""
        page = super().admin_view(view, cacheable)

        @wraps(page)
        def page_in_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - the view's
            with timezone.override(self.zone_for(request.user)):
                response = page(request, *args, **kwargs)
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        return page_in_zone

    def zone_for(self, user: User | AnonymousUser) -> ZoneInfo:
        """The zone of the user's preferences, else that of the house."""
        preferences = getattr(user, "notification_preferences", None)
        return zone_of(preferences.time_zone if preferences else None)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {
            "time_zone": str(timezone.get_current_timezone()),
            "pages": [(page.label, reverse(f"admin:{page.name}")) for page in self.pages if page.label],
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page; its recent actions link only to pages that the caller may open."""
        entries = LogEntry.objects.filter(user=request.user).select_related("content_type")[:RECENT]
        recent = [(entry, self.link_to(entry, request)) for entry in entries]
        blocks = [block(request) for block in self.blocks]
        return super().index(request, {"recent": recent, "blocks": blocks, **(extra_context or {})})

    def link_to(self, entry: LogEntry, request: HttpRequest) -> str | None:
        """The address of what an entry of the log is about; None if it is gone or the caller may not see it."""
        model = entry.content_type.model_class() if entry.content_type else None
        model_admin = self._registry.get(model) if model else None
        if entry.is_deletion() or model_admin is None or not model_admin.has_view_permission(request):
            return None
        return entry.get_admin_url()

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The sign-in form; a 429 with `Retry-After` once a limit is used up."""
        if request.method == "POST":
            seconds = seconds_to_wait(request, SIGN_IN)
            if seconds:
                text = f"Too many sign-ins. Try again in {seconds} seconds."
                return HttpResponse(text, status=429, content_type="text/plain", headers={"Retry-After": str(seconds)})
        return super().login(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Changes the caller's own password and voids the tokens in one transaction."""
        with transaction.atomic():
            return super().password_change(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return FieldPicker.as_view(admin_site=self)(request)
