"""The ASGI entry point: `booking_system_api.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_system_api.settings")

application = get_asgi_application()


from core.outbox import worker  # noqa: E402 - after the applications are loaded

worker.run_in_web_process()
