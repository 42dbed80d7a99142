"""The page of staff with the report of utilisation: charts, tables and formulas."""

import contextlib
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from core.exports.answers import FORMS, SheetFile, file_answer
from core.reports.cells import By
from core.reports.measures import MEASURES, PERIOD, ROUNDING
from core.reports.serializers import UtilisationParameters, asked_of
from core.reports.tables import FILE_NAME, Bar, bars_of, cells_of_line, sheet_of, shown_rows
from core.reports.utilisation import MOST_DAYS, TooMuch, report_of
from core.staff.pages import StaffPage

# The page opens with so many days, today the last of them.
USUAL_DAYS = 28


class ReportsPage(StaffPage):
    """How much of the open time is booked."""

    title = "Reports"
    template_name = "core/reports/utilisation.html"
    styles = (*StaffPage.styles, "core/admin/reports.css")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's own
        """The page, or the report as a file; the page says why there is none."""
        form = request.GET.get("format")
        parameters = UtilisationParameters(data=self.sent())
        if form in FORMS and parameters.is_valid():
            with contextlib.suppress(TooMuch):
                report = report_of(asked_of(parameters.values()))
                file = SheetFile(sheet_of(report), FILE_NAME, form)
                return file_answer(request, file, now=timezone.now(), headers={})
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's own
        """The form as it was sent, with its errors or the report."""
        sent = self.sent()
        parameters = UtilisationParameters(data=sent)
        shown: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        if parameters.is_valid():
            try:
                shown = self.shown(parameters)
            except TooMuch as error:
                errors = {"to": [str(error)]}
        else:
            errors = parameters.errors
        return super().get_context_data(
            sent={name: value for name, value in sent.items() if name != "resource"},
            resources=sent.get("resource", ()),
            errors=[(name, message) for name, messages in errors.items() for message in messages],
            wrong=list(errors),
            choices=By.choices,
            most_days=MOST_DAYS,
            files=[(form.upper(), self.address_of_file(form)) for form in FORMS],
            measures=MEASURES,
            period=PERIOD,
            rounding=ROUNDING,
            **shown,
            **kwargs,
        )

    def address_of_file(self, form: str) -> str:
        """The address of the report as a file."""
        query = self.request.GET.copy()
        query["format"] = form
        return f"?{query.urlencode()}"

    def sent(self) -> dict[str, Any]:
        """The parameters of the address that are not empty; the usual days without any."""
        query = self.request.GET
        found: dict[str, Any] = {
            name: query[name] for name in ("from", "to", "by", "min_capacity", "search") if query.get(name)
        }
        if query.getlist("resource"):
            found["resource"] = query.getlist("resource")
        today = timezone.localdate()
        usual = {"from": str(today - timedelta(days=USUAL_DAYS - 1)), "to": str(today)}
        return {**({} if "from" in query or "to" in query else usual), **found}

    def shown(self, parameters: UtilisationParameters) -> dict[str, Any]:
        """The report for the template.

        Raises:
            TooMuch: When the report is too large.
        """
        report = report_of(asked_of(parameters.values()))
        bars = list(bars_of(report))
        return {
            "report": report,
            "by": report.asked.by,
            "rows": shown_rows(report),
            "total": cells_of_line(report.total),
            "bars": bars,
            "chart_height": len(bars) * Bar.height,
        }
