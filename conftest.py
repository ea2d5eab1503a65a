"""Every test runs in a home of its own, never in the developer's."""

import os
import tempfile

os.environ["POLICITY_HOME"] = tempfile.mkdtemp(prefix="policity-test-")
