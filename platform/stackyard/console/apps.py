"""The console: the Django admin as the visual editor."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Holds the admin site, its pages and templates."""

    name = "stackyard.console"
    label = "console"
    verbose_name = "Console"
