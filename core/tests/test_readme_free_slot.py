"""The chapter of README.md about free time, run in a shell as it is written."""

import pytest

from core.tests import readme
from core.tests.test_readme_tour import demo, server  # noqa: F401 - fixtures


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_chapter_prints_what_the_readme_says(server: str) -> None:  # noqa: F811 - the fixture
    steps = readme.steps(readme.chapter("Finding a free slot"))

    printed = readme.run(steps, address=server)

    assert len(steps) >= 7
    for step, shown, answer in zip(
        steps, readme.masked([step.answer for step in steps]), readme.masked(printed), strict=True
    ):
        assert answer == shown, step.commands
