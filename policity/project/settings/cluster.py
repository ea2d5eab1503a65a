"""As embedded, but the data is in PostgreSQL, which several machines may share (docs/adr/0015)."""

from psycopg.conninfo import conninfo_to_dict

from policity.project.settings.embedded import *  # noqa: F403
from policity.project.settings.embedded import ENVIRONMENT

# libpq's own reading: sockets, several hosts and TLS are said as everywhere.
_said = conninfo_to_dict(ENVIRONMENT.database_url)
_names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **{ours: str(_said.pop(theirs, "")) for ours, theirs in _names.items()},
        # A connection costs a process on the server: each thread keeps its own.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # Seconds. Whoever looks is told that the database is away, and does not hang.
            "connect_timeout": 5,
            # No wait for another's lock is without an end, and whoever vanished with their machine
            # holds nothing half a minute later.
            "options": (
                "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
                " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5"
                " -c tcp_keepalives_count=4"
            ),
            **_said,
        },
    }
}
