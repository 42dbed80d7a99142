"""Converts signals to exceptions, so that every `finally` of the tools runs."""

import signal
from types import FrameType
from typing import NoReturn


def leave_on_signals() -> None:
    """Makes SIGTERM and SIGHUP raise `SystemExit`, and SIGINT raise `KeyboardInterrupt`.

    A shell makes its background processes ignore SIGINT; this function restores SIGINT for this process and its
    children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        for each in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # a second signal must not interrupt the clean-up
        raise SystemExit(128 + number)

    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, leave)
