"""The reports over HTTP."""

from typing import Any

from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.etags import with_tag_of_body
from core.api.views import ApiView, TaggedMixin
from core.exports.answers import SheetFile, file_answer
from core.exports.views import FilesMixin
from core.reports.serializers import UtilisationParameters, UtilisationSerializer, asked_of
from core.reports.tables import FILE_NAME, sheet_of
from core.reports.utilisation import TooMuch, report_of


class UtilisationViewSet(FilesMixin, ApiView, TaggedMixin, viewsets.GenericViewSet):
    """How much of the open time of the resources is booked; for staff."""

    about = "How much of the open time of the resources is booked; for staff."
    serializer_class = UtilisationSerializer
    permission_classes = (IsAdminUser,)
    query = UtilisationParameters

    def list(self, request: Request) -> Any:  # noqa: ANN401 - the stubs of the framework know no streamed answer
        """Lists the lines of the report, or answers them as a file."""
        try:
            report = report_of(asked_of(self.parameters))
        except TooMuch as error:
            raise ValidationError({"to": [str(error)]}) from error
        if self.file_form is not None:
            file = SheetFile(sheet_of(report), FILE_NAME, self.file_form)
            return file_answer(request._request, file, now=self.now, headers={})
        return with_tag_of_body(request, Response([line.as_json() for line in report.lines]))
