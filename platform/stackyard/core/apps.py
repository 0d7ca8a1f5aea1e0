"""The app everything stands on."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.module_loading import autodiscover_modules

from .kinds import load


class CoreConfig(AppConfig):
    """Loads the filters and every app's file kinds at start, and begins to trace where that is set."""

    name = "stackyard.core"
    label = "core"
    verbose_name = "Workspaces"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the filters, and the `files` module of each app."""
        load("stackyard.core.filters")
        autodiscover_modules("files")
        from .outbound.checks import check_settings

        register(check_settings)
        from django.conf import settings

        from . import tracing

        tracing.start(settings.TRACES_ENDPOINT)
