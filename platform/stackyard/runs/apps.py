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
        """Have Celery's settings checked at the start, and what was missed long ago forgotten."""
        from stackyard.core.audit.pruning import prune

        from .checks import check_celery
        from .health import prune_missed
        from .upkeep import also_prune

        register(check_celery)
        also_prune(prune_missed)
        also_prune(prune)
