"""Work that is accepted and then done in the background."""

from django.apps import AppConfig
from django.core.checks import register


class RunsConfig(AppConfig):
    """Holds runs and schedules."""

    name = "stackyard.runs"
    label = "runs"
    verbose_name = "Runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have Celery's settings checked at the start."""
        from .checks import check_celery

        register(check_celery)
