"""What the workers of one gunicorn tell each other while it reloads."""

import mmap

# More than the workers that live at the same time.
SLOTS = 1024
BYTES_OF_A_NUMBER = 8


class Handover:
    """Whether the youngest worker answers already, in memory that all processes forked from this one share.

    gunicorn numbers its workers; the number is the `age` of a worker and grows with each one. At a reload gunicorn
    starts the new workers and stops the old ones at once, but a new worker answers only after it has loaded the
    application.
    """

    def __init__(self) -> None:
        self.numbers = memoryview(mmap.mmap(-1, BYTES_OF_A_NUMBER * (SLOTS + 1))).cast("Q")

    def expect(self, age: int) -> None:
        """The main process starts this worker; it starts one after the other."""
        self.numbers[SLOTS] = age

    def begin(self, age: int) -> None:
        """This worker answers from now on; each worker writes into a slot of its own."""
        self.numbers[age % SLOTS] = age

    @property
    def is_expecting(self) -> bool:
        """True while the youngest worker loads the application."""
        youngest = self.numbers[SLOTS]
        return self.numbers[youngest % SLOTS] != youngest
