"""Settings: `embedded` runs on one machine, out of one folder; `cluster` on PostgreSQL."""
