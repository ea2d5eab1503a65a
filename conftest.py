"""Every test runs in a home of its own, never in the developer's."""

import os
import tempfile
from pathlib import Path

import pytest

os.environ["POLICITY_HOME"] = tempfile.mkdtemp(prefix="policity-test-")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real telegrams, alerts and maps beside the checkout."""
    folder = Path(__file__).parent.parent / "shared" / "data"
    assert folder.is_dir(), f"the real data is missing: {folder.name}"
    return folder
