"""The programs behind `make`: the virtual environment, the demo server, the test run and its PostgreSQL.

This file avoids new syntax, so that an old Python reaches the message below.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - only an older Python gets here
    sys.exit("This project needs Python 3.11 or newer; name one like this: make run PYTHON=python3.13")
