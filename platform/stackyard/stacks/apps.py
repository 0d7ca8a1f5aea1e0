"""Function stacks: the language people build endpoints with."""

from django.apps import AppConfig

from stackyard.core.kinds import load


class StacksConfig(AppConfig):
    """Loads the step kinds at start."""

    name = "stackyard.stacks"
    label = "stacks"
    verbose_name = "Functions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the step kinds and listen to what tables lose."""
        load("stackyard.stacks.steps")
        from . import dependents, run_kind  # noqa: F401  (connects to the tables' signal; joins a family)
