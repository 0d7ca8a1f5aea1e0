"""`manage.py lambda_runner [--build]`: which launchers run here, and the image for containers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lambdas.launchers import CannotLaunch, choose, survey
from lambdas.launchers.container import ContainerLauncher
from lambdas.launchers.root import tag
from stackyard.core.errors import Problem


class Command(BaseCommand):
    """A line for each launcher, the one that is used, and the image's name."""

    help = "Show which launchers run lambdas here; --build makes the image of the container launcher."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only --build."""
        parser.add_argument("--build", action="store_true", help="make the image for docker, podman or runc")

    def handle(self, *args: Any, **options: Any) -> None:
        """Try every launcher out, after building when asked to."""
        home = settings.HOME / "lambdas"
        try:
            self.stdout.write(f"image: stackyard-lambda:{tag()}")
            if options["build"]:
                launcher = ContainerLauncher(home, settings.CONTAINER_ENVIRONMENT)
                self.stdout.write(f"built: {launcher.build()}")
            for name, reason in survey(home, settings.CONTAINER_ENVIRONMENT).items():
                self.stdout.write(f"{name}: {reason or 'runs here'}")
            chosen = choose(home, settings.LAMBDA_LAUNCHER, settings.CONTAINER_ENVIRONMENT)
        except (CannotLaunch, Problem) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"lambdas run by: {chosen.name}")
