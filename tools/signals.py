"""How the tools end on a signal: as by an exception, so that every `finally` cleans up."""

import signal
from types import FrameType
from typing import NoReturn


def leave_on_signals() -> None:
    """Makes SIGTERM and SIGHUP raise `SystemExit`, and SIGINT raise `KeyboardInterrupt`.

    A shell lets what it starts in the background ignore SIGINT; this process and its children obey SIGINT there, too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        for each in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # nothing may interrupt the clean-up
        raise SystemExit(128 + number)

    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, leave)
