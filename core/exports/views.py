"""For the view of a list: the list as a file, for whoever asks for one by `?format=` or `Accept`."""

from functools import partial
from itertools import chain
from typing import Any, cast

from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.lists import RowListMixin, ViewBase
from core.api.pagination import KeyPagination, queryset_of
from core.api.query import FORMAT
from core.api.rendering import CsvRenderer, FileRenderer, JSONRenderer, WorkbookRenderer
from core.exports.answers import AT_ONCE, Export, file_answer, require_few_rows
from core.exports.tables import Table
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.writing import record_export

# The parameters that narrow no list, and the one whose value are words of people.
NO_FILTERS = (FORMAT, "count", "cursor", "include")
WORDS = "search"


class FilesMixin(ViewBase):
    """Offers the answers to the action `list` as files, too."""

    def get_renderers(self) -> list[BaseRenderer]:
        files: tuple[BaseRenderer, ...] = (
            (CsvRenderer(), WorkbookRenderer()) if getattr(self, "action", None) == "list" else ()
        )
        return [*super().get_renderers(), *files]

    @property
    def file_form(self) -> str | None:
        """The form of the file that is asked for; None for an answer in JSON."""
        renderer = getattr(self.request, "accepted_renderer", None)
        return renderer.format if isinstance(renderer, FileRenderer) else None

    def finalize_response(
        self,
        request: Request,
        response: Response,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Response:
        """An error in place of a file is JSON."""
        if self.file_form is not None and isinstance(response, Response):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


class ExportedListMixin(FilesMixin, RowListMixin):
    """Answers a list as a file, too, with the filters, the ordering and the pages of the list."""

    def exported(self) -> Table:
        """The table for the caller."""
        raise NotImplementedError

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the framework's own
        form = self.file_form
        if form is None:
            return super().list(request, *args, **kwargs)
        paginator, view, table = cast(KeyPagination, self.paginator), cast(Any, self), self.exported()
        paginator.at_once = AT_ONCE
        if self.parameters["limit"] is None:
            require_few_rows(queryset_of(self.listed()), form)
        first, done = self.read_page(), None
        if table.on_record:
            act = Act.of(request, now=view.now, channel=Channel.API)
            filters, words = self.sent_filters()
            done = partial(record_export, act, form, filters=filters, words=words)
        export = Export(table, form, chain([first], paginator.rest or ()), done)
        return file_answer(request._request, export, now=view.now, headers=paginator.headers())

    def sent_filters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The filters of the list as they were sent: those without words of people, and the others."""
        sent = {
            name: values if len(values) > 1 else values[0]
            for name, values in self.request.query_params.lists()
            if name not in NO_FILTERS
        }
        words = {name: sent.pop(name) for name in [WORDS] if name in sent}
        return sent, words
