"""Every test process has a home of its own, made before Django reads its settings.

Named in pyproject.toml (`-p`), since the root conftest.py is imported after Django has started.
"""

import os
import shutil
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="policity-test-"))
os.environ["POLICITY_HOME"] = str(HOME)
os.environ["POLICITY_DEMO"] = "0"


def pytest_unconfigure() -> None:
    """Leaves nothing behind."""
    shutil.rmtree(HOME, ignore_errors=True)
