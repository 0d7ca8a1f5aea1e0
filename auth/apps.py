"""Who may call, and who may build."""

from django.apps import AppConfig

from stackyard.core.kinds import load
from stackyard.runs.upkeep import also_prune


class AuthConfig(AppConfig):
    """Our app is imported as `auth` but labelled `accounts`: Django's own app holds the label `auth`.

    In a model reference say `accounts.User`, in an import `from auth.models import User`.
    """

    name = "auth"
    label = "accounts"
    verbose_name = "Access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the auth methods and steps, and listen for records that go."""
        load("auth.methods")
        load("auth.steps")
        from . import families, leaving, one_time  # noqa: F401  (leaving listens)
        from .oauth import ending

        also_prune(families.prune)
        also_prune(one_time.prune)
        also_prune(ending.prune)
