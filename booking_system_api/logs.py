"""What gets into the log."""

import logging


class TracebacksOnly(logging.Filter):
    """Lets through only records that carry a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record has one."""
        return bool(record.exc_info)
