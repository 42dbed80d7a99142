"""When a resource is open; pure arithmetic on the local clock of its time zone."""

from core.hours.days import DayHours, Period, SpecialDays
from core.hours.timetable import Timetable

__all__ = ["DayHours", "Period", "SpecialDays", "Timetable"]
