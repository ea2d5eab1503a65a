"""Logs: one JSON line per request, transition and batch, with a request id, on standard error.

No line names a person or an address of theirs: what a caller passes under such a name is dropped
here, whoever calls.
"""

import logging
import logging.config
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PERSONAL = frozenset(
    {"user", "username", "display_name", "email", "phone", "password", "ip", "remote_addr"}
)


def without_persons(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Drops every field that would name a person."""
    return {key: value for key, value in event.items() if key not in PERSONAL}


class OnlyFailures(logging.Filter):
    """Django's own word on a request is kept only where it carries an exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is about an exception."""
        return bool(record.exc_info)


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    without_persons,
]
RENDER: list[Processor] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]

CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": RENDER,
            "foreign_pre_chain": SHARED,
        }
    },
    "filters": {"only_failures": {"()": OnlyFailures}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # One line per request is ours; Django's and granian's own would repeat it.
        "django": {"handlers": [], "propagate": True, "level": "WARNING"},
        # Two lines for each page that is saved, and titles: the audit trail says who did what.
        "django_tasks": {"handlers": [], "propagate": True, "level": "WARNING"},
        "wagtail": {"handlers": [], "propagate": True, "level": "WARNING"},
        "django.request": {"handlers": [], "propagate": True, "filters": ["only_failures"]},
        # A name that is not ours: the request's line says 400, and anybody can make thousands.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        "django.server": {"handlers": [], "propagate": True, "level": "ERROR"},
        "_granian": {"handlers": [], "propagate": True, "level": "WARNING"},
        "granian.access": {"handlers": [], "propagate": False},
    },
}


def configure_alone() -> None:
    """For a process without Django, whose settings otherwise do this."""
    logging.config.dictConfig(CONFIGURATION)
    configure()


def configure() -> None:
    """Sends structlog's lines through the standard library's handlers."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
