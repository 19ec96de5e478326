"""The site's own settings, with a folder that is thrown away and no waiting for disks.

Named in pyproject.toml. DATABASE_URL chooses the database, as for the site; without it SQLite is used.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "OPENHOURS_DATA" not in os.environ:
    # The workers of pytest-xdist inherit the folder; only the process that made it takes it away.
    os.environ["OPENHOURS_DATA"] = tempfile.mkdtemp(prefix="openhours-test-")
    atexit.register(shutil.rmtree, os.environ["OPENHOURS_DATA"], ignore_errors=True)
os.environ.setdefault("OPENHOURS_SECRET_KEY", "only-for-tests-" + "x" * 50)

from portal.settings import *  # noqa: F403
from portal.settings import DATABASES, IS_SQLITE, STORAGES

if IS_SQLITE:
    # A file and not memory: threads of a test are then real rivals for the lock, as processes are.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["OPENHOURS_DATA"]) / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
    )
else:
    # A connection that outlives its thread would keep the test database from being dropped.
    DATABASES["default"]["CONN_MAX_AGE"] = 0

# The names with hashes need `collectstatic`; quickstart's own test runs it.
Path(os.environ["OPENHOURS_DATA"], "static").mkdir(exist_ok=True)
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
