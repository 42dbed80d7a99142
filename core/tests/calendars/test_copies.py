"""Copies of rendered calendars: the newest of each, within a most of bytes."""

import threading
import time

import pytest
from django.db import OperationalError

from core.calendars.copies import Copies, Copy


class Renders:
    """Renders content of a version, and counts how often; each takes a moment."""

    def __init__(self, content: bytes, version: str = "a", *, seconds: float = 0) -> None:
        self.content, self.version = content, version
        self.seconds = seconds
        self.number = 0

    def __call__(self) -> Copy:
        self.number += 1
        time.sleep(self.seconds)
        return Copy(self.version, self.content)


def test_a_version_is_rendered_once_and_the_next_one_replaces_it() -> None:
    copies = Copies(most_bytes=10)
    first, second = Renders(b"first"), Renders(b"second", "b")
    assert [copies.get(1, "a", first) for _ in range(3)] == [Copy("a", b"first")] * 3
    assert [copies.get(1, "b", second) for _ in range(3)] == [Copy("b", b"second")] * 3
    assert (first.number, second.number, copies.bytes) == (1, 1, 6)
    copies.get(1, "a", first)
    assert first.number == 2


def test_two_calendars_with_the_same_version_share_nothing() -> None:
    copies = Copies(most_bytes=10)
    assert copies.get(1, "a", Renders(b"one")).content == b"one"
    assert copies.get(2, "a", Renders(b"two")).content == b"two"


def test_what_changed_while_it_was_rendered_is_answered_and_not_kept() -> None:
    copies = Copies(most_bytes=10)
    newer = Renders(b"newer", "b")
    assert [copies.get(1, "a", newer) for _ in range(2)] == [Copy("b", b"newer")] * 2
    assert (newer.number, copies.bytes) == (2, 0)


def test_those_read_longest_ago_give_way() -> None:
    copies = Copies(most_bytes=10)
    renders = {number: Renders(b"four") for number in (1, 2, 3)}
    for number in (1, 2, 1, 3, 1, 3, 2):
        copies.get(number, "a", renders[number])
    assert {number: render.number for number, render in renders.items()} == {1: 1, 2: 2, 3: 1}
    assert copies.bytes == 8


def test_what_is_larger_than_all_together_is_answered_and_not_kept() -> None:
    copies = Copies(most_bytes=10)
    copies.get(1, "a", Renders(b"small"))
    large = Renders(b"x" * 11)
    assert [len(copies.get(2, "a", large).content) for _ in range(2)] == [11, 11]
    large.version = "b"
    copies.get(1, "b", large)
    assert (large.number, copies.bytes, len(copies.copies)) == (3, 0, 0)


def test_calls_at_once_for_one_version_render_it_once() -> None:
    copies = Copies(most_bytes=10)
    render = Renders(b"content", seconds=0.05)
    barrier = threading.Barrier(8)
    found: list[bytes] = []

    def call() -> None:
        barrier.wait(timeout=30)
        found.append(copies.get(1, "a", render).content)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (found, render.number) == ([b"content"] * 8, 1)


def test_after_a_failure_the_next_call_renders() -> None:
    copies = Copies(most_bytes=10)

    def fail() -> Copy:
        raise OperationalError("gone")

    with pytest.raises(OperationalError, match="gone"):
        copies.get(1, "a", fail)
    assert copies.get(1, "a", Renders(b"content")).content == b"content"
