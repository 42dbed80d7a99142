"""The WSGI entry point: `booking_system_api.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")

application = get_wsgi_application()


from core.outbox import worker  # noqa: E402 - after the applications are loaded

worker.serve()
