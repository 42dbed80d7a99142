"""The pages of the desk in the admin, and the numbers on its first page."""

from core.desk.counter import CounterPage
from core.desk.front import front
from core.desk.queue import QueuePage
from core.desk.taking_back import TakingBackPage
from core.desk.timeline_page import TimelinePage
from core.staff.pages import add_block, add_page

add_block(front)
add_page("timeline/", TimelinePage, "timeline", "Timeline")
add_page("queue/", QueuePage, "queue", "Queue")
add_page("book/", CounterPage, "book", "Book for somebody")
add_page("take-back/", TakingBackPage, "take-back")
