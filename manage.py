#!/usr/bin/env python
"""Django's command line for Stackyard."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    from django.core.management import execute_from_command_line

    from stackyard.core.audit.actor import as_command

    with as_command(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
