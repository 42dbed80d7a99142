"""The WSGI entry point: `booking_system_api.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")

application = get_wsgi_application()

from core.notifications import background  # noqa: E402 - after the applications are loaded

background.serve()
