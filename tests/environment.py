"""Loaded by pytest before Django's settings: a home of its own for the whole test session."""

import atexit
import os
import shutil
import tempfile

if "STACKYARD_HOME" not in os.environ:
    _home = tempfile.mkdtemp(prefix="stackyard-test-")
    os.environ["STACKYARD_HOME"] = _home
    atexit.register(shutil.rmtree, _home, ignore_errors=True)

# Inside a test's transaction no other connection could see a new token.
os.environ.setdefault("STACKYARD_VERSION_WATCHED", "0")
