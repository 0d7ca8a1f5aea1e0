"""The app everything stands on."""

from django.apps import AppConfig

from .kinds import load


class CoreConfig(AppConfig):
    """Loads the filters at start."""

    name = "stackyard.core"
    label = "core"
    verbose_name = "Workspaces"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the filters."""
        load("stackyard.core.filters")
