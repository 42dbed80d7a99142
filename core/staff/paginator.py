"""Pages of a list whose rows are counted up to a number only."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

from core.api.pagination import bounded_count
from core.api.query import MOST_COUNTED

# A search reads each row that it counts.
MOST_FOUND = 1_000


class AtLeast(int):
    """The number of rows of a list that has more; `100000+` on a page."""

    def __str__(self) -> str:
        return f"{int(self)}+"


class BoundedPaginator(Paginator):
    """Pages of the first rows of a list; whoever wants later rows filters the list.

    Args:
        most: How many rows are counted, and can be reached by pages.
    """

    def __init__(self, *args: Any, most: int = MOST_COUNTED, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.most = most

    @cached_property
    def count(self) -> int:
        """The number of rows, or `AtLeast` the number of those that were counted."""
        number = bounded_count(self.object_list, most=self.most)
        return AtLeast(self.most) if number is None else number
