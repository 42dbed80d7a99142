#!/usr/bin/env python
"""Django's command-line utility for the booking system."""

import os
import sys


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise ImportError(
            "Django is not installed here. `make run` brings it; or activate the virtual environment: "
            "`. .venv/bin/activate`."
        ) from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
