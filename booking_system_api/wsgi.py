"""The WSGI entry point: `booking_system_api.wsgi:application`."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")

# Django REST framework loads `requests`, which djoser installs, for a test client alone. Hidden from that one import,
# it saves each gunicorn worker 4.5 MiB of 68.7 MiB resident memory (3.8 MiB of them private), and 0.1 s of CPU time.
if "requests" not in sys.modules:
    sys.modules["requests"] = None  # type: ignore[assignment] - as if it were not installed
    import rest_framework.compat  # noqa: F401

    del sys.modules["requests"]

application = get_wsgi_application()


from core.outbox import worker  # noqa: E402 - after the applications are loaded

worker.run_in_web_process()
