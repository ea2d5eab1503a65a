"""Has every process of a test's city know two slices more. On PYTHONPATH, Python imports it."""

from policity.project.settings import installed

installed.ROOMS += ["tests.planted.hidden", "tests.planted.counted"]
installed.ADDRESSES.insert(0, ("staff/hidden/", "tests.planted.hidden"))
