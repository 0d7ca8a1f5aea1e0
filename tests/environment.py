"""Loaded by pytest before Django's settings: a home of its own for each test session.

`tests.run` sets DATABASE_URL for the session on PostgreSQL and, where there is a Redis server,
STACKYARD_TEST_REDIS_URL. REDIS_URL itself stays unset, so that a test says when it wants Redis.
"""

import atexit
import os
import shutil
import tempfile

# A session that is shared out has the home of whoever shares it out in its environment.
if "STACKYARD_HOME" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
    _home = tempfile.mkdtemp(prefix="stackyard-test-")
    os.environ["STACKYARD_HOME"] = _home
    atexit.register(shutil.rmtree, _home, ignore_errors=True)

# Inside a test's transaction no other connection could see a new token.
os.environ.setdefault("STACKYARD_VERSION_WATCHED", "0")
os.environ.setdefault("STACKYARD_HISTORY_THREAD", "0")
# Ids come back when a test's transaction is rolled back, and with them the counts of their limits.
os.environ.setdefault("STACKYARD_CALLS_PER_SECOND", "1000000")

# Nor does it ask the npm registry for anything.
os.environ["NPM_CONFIG_REGISTRY"] = "http://127.0.0.1:9/"

# A test never goes through somebody's proxy.
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)
