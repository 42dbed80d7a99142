"""The WSGI entry point: `booking_system_api.wsgi:application`."""

import logging
import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")

# Django REST framework imports `requests`, a dependency of djoser, only for a test client. Hiding the package from that
# import saves each gunicorn worker 4.5 MiB of 68.7 MiB resident memory (3.8 MiB private), and 0.1 s of CPU time.
if "requests" not in sys.modules:
    # None makes the import fail as if the package were not installed; the stub knows only modules as values.
    sys.modules["requests"] = None  # type: ignore[assignment]
    import rest_framework.compat  # noqa: F401

    del sys.modules["requests"]

application = get_wsgi_application()


from booking_system_api.logs import RawRequestsLeftOut  # noqa: E402 - after the applications are loaded
from booking_system_api.timeouts import limit_waits  # noqa: E402
from core.outbox import worker  # noqa: E402

logging.getLogger("gunicorn.error").addFilter(RawRequestsLeftOut())

limit_waits()
worker.run_in_web_process()
