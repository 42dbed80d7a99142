"""The page of the reports in the admin."""

from core.reports.pages import ReportsPage
from core.staff.pages import add_page

add_page("reports/", ReportsPage, "reports", "Reports")
