"""Settings: `embedded` runs on one machine, with SQLite, out of one folder."""
