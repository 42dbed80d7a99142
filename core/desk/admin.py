"""The pages of the desk in the admin."""

from core.desk.taking_back import TakingBackPage
from core.desk.timeline_page import TimelinePage
from core.staff.pages import add_page

add_page("timeline/", TimelinePage, "timeline", "Timeline")
add_page("take-back/", TakingBackPage, "take-back")
