"""Alerts: rules, incidents, and who is told."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Has the scheduler look at the rules, and joins the run kinds with what tells people."""

    name = "stackyard.alerts"
    label = "alerts"
    verbose_name = "Alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Join in."""
        from stackyard.runs.upkeep import also_do

        from . import run_kind  # noqa: F401  (joins the run kinds)
        from .watching import EVERY_SECONDS, watch

        also_do(watch, EVERY_SECONDS)
