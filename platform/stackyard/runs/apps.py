"""Work that is accepted and then done in the background."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Holds runs and schedules."""

    name = "stackyard.runs"
    label = "runs"
    verbose_name = "Runs"
    default_auto_field = "django.db.models.BigAutoField"
