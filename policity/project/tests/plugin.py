"""Every test process has a home of its own, made before Django reads its settings.

With POLICITY_TEST_DATABASE=postgresql it has a database of its own too, on a server that the run
starts; otherwise the data is SQLite's, in the home.

Named in pyproject.toml (`-p`), since the root conftest.py is imported after Django has started.
"""

import os
import shutil
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from policity.kit.sides import Role
from policity.project import environment
from policity.project.tests import postgresql

HOME = Path(tempfile.mkdtemp(prefix="policity-test-"))
os.environ["POLICITY_HOME"] = str(HOME)
os.environ["POLICITY_DEMO"] = "0"
# Whatever database whoever runs the tests has named for a city of theirs.
# No demo, and yet both sides in one process: what a city cannot set.
environment.UNSAID = Role.ALL
for name in ("POLICITY_ROLE", "POLICITY_DATABASE_URL", "POLICITY_DATABASE_URL_FILE"):
    os.environ.pop(name, None)
ENDING = ExitStack()
SERVER: postgresql.Server | None = None
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
NUMBERS = count(1)
# The database of this process' own tests; empty where it is SQLite's.
URL = ""

if os.environ.get("POLICITY_TEST_DATABASE") == "postgresql":
    # The workers of xdist share the server of who started them.
    if WORKER:
        SERVER = postgresql.Server(Path(os.environ["POLICITY_TEST_SERVER"]))
    else:
        SERVER = ENDING.enter_context(postgresql.running())
        os.environ["POLICITY_TEST_SERVER"] = str(SERVER.folder)
    os.environ["POLICITY_DATABASE_URL"] = URL = SERVER.create(f"tests_{WORKER}")
os.environ["DJANGO_SETTINGS_MODULE"] = environment.read().settings


def unused() -> str:
    """A name that no database of this run has."""
    return f"tests_{WORKER}_{next(NUMBERS)}"


def pytest_unconfigure() -> None:
    """Leaves nothing behind."""
    ENDING.close()
    shutil.rmtree(HOME, ignore_errors=True)
