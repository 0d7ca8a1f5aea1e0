"""Lambdas: code in JavaScript and TypeScript, sandboxed, on demand, on schedule, after other things."""

from django.apps import AppConfig

from stackyard.core.kinds import load


class LambdasConfig(AppConfig):
    """Loads launchers, steps and triggers at start."""

    name = "lambdas"
    label = "lambdas"
    verbose_name = "Lambdas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the steps and triggers, join the run kinds, listen to runs that end."""
        load("lambdas.steps")
        load("lambdas.triggers")
        from . import dependents, filters, run_kind  # noqa: F401  (listen, and join their families)
