"""The ASGI entry point: `booking_system_api.asgi:application`."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")

# Django answers each request in a thread of its own here. A connection that such a thread kept would serve nobody else,
# and would stay open in the database.
for database in settings.DATABASES.values():
    database["CONN_MAX_AGE"] = 0

application = get_asgi_application()


from booking_system_api.timeouts import limit_waits  # noqa: E402 - after the applications are loaded
from core.outbox import worker  # noqa: E402

limit_waits()
worker.run_in_web_process()
