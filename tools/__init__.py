"""What `make` calls: the environment, the demo server, the test run and its PostgreSQL.

Written so that any Python can read this one file and say that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one place where an older Python arrives
    sys.exit("This project needs Python 3.11 or newer; name one like this: make run PYTHON=python3.13")
