"""Connects what stands above `core` to it: the metrics."""

from django.apps import AppConfig
from django.conf import settings


class ProjectConfig(AppConfig):
    """The project around the app; it has no tables."""

    name = "booking_system_api"
    verbose_name = "Booking system"

    def ready(self) -> None:
        """Begins to count, if somebody may ask for the metrics."""
        if settings.METRICS_TOKEN:
            from booking_system_api import metrics, metrics_server
            from core.outbox import worker

            metrics.connect()
            worker.process_started.connect(metrics_server.start, dispatch_uid="booking_system_api.metrics_server")
