"""User-made data."""

from django.apps import AppConfig

from stackyard.core.kinds import load


class TablesConfig(AppConfig):
    """Loads the field types at start."""

    name = "stackyard.tables"
    label = "tables"
    verbose_name = "Database"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the field types."""
        load("stackyard.tables.types")
        # Before the first connection: SQLite is taught some functions when it is opened.
        from . import database, run_kind  # noqa: F401  (and join the run kinds)
