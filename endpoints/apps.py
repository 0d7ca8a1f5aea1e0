"""API groups and endpoints: the doors to what people build."""

from django.apps import AppConfig

from stackyard.core.kinds import load


class EndpointsConfig(AppConfig):
    """Loads the blueprints at start."""

    name = "endpoints"
    label = "endpoints"
    verbose_name = "APIs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the blueprints, listen to what tables and functions lose, and have old counts pruned."""
        load("endpoints.blueprints")
        from stackyard.runs.upkeep import also_prune

        from . import dependents  # noqa: F401  (connects to the signal)
        from .rollups import prune

        also_prune(prune)
