"""For the admin of a list: the list as a file, with the filters that the page shows."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from core.api.pagination import all_parts
from core.errors import BookingError
from core.exports.answers import AT_ONCE, FORMS, Export, file_answer, require_few_rows
from core.exports.tables import Table
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.writing import record_export
from core.staff.moments import sentence_of

# The parameters of a list that narrow it to no rows.
NO_FILTERS = (ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR)


class ExportedAdmin:
    """Adds the ways to a file to a list, for everybody who may see the list.

    Attributes:
        exported: The table.
        plain_filters: The parameters whose values are no words of people.
    """

    change_list_template = "admin/exported_list.html"
    exported: ClassVar[Table]
    plain_filters: ClassVar[tuple[str, ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.export_view)
        return [path("export/<str:form>/", page, name=self.export_name), *super().get_urls()]

    @property
    def export_name(self) -> str:
        """The name of the address of a file."""
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with an address of each file; a list without parameters may show a part, and its file the same."""
        query = request.GET.copy()
        for name in NO_FILTERS:
            query.pop(name, None)
        files = [
            (form.upper(), f"{reverse(f'admin:{self.export_name}', args=[form])}?{query.urlencode()}") for form in FORMS
        ]
        return super().changelist_view(request, {"files": files, **(extra_context or {})})

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """All rows that the filters leave as a file, in the usual order of the list: by key, whatever column is sorted.

        Raises:
            Http404: For another form of file.
        """
        if form not in FORMS:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            shown = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?{ERROR_FLAG}=1")
        ordering = self.get_ordering(request) or self.opts.ordering
        rows, now = self.exported.serializer.rows(shown.order_by(*ordering)), timezone.now()
        export = Export(self.exported, form, all_parts(rows, at_once=AT_ONCE))
        if self.exported.on_record:
            act, (filters, words) = Act.of(request, now=now, channel=Channel.ADMIN), self.sent_filters(request)
            export.done = partial(record_export, act, form, filters=filters, words=words)
        try:
            require_few_rows(rows, form)
            return file_answer(request, export, now=now, headers={})
        except BookingError as error:
            self.message_user(request, sentence_of(error), messages.ERROR)
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")

    def sent_filters(self, request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
        """The filters as they were sent: those without words of people, and the others."""
        # PostgreSQL stores no NUL; the list passes over a search with one.
        sent = {
            name.replace("\0", "\ufffd"): [value.replace("\0", "\ufffd") for value in values]
            for name, values in request.GET.lists()
            if name not in NO_FILTERS
        }
        shown = {name: values[0] if len(values) == 1 else values for name, values in sent.items()}
        plain = {name: value for name, value in shown.items() if name in self.plain_filters}
        return plain, {name: value for name, value in shown.items() if name not in plain}
