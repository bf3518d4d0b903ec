"""One JSON line an event, on standard output. No payload, no key, no SQL is ever an argument of one."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

import structlog


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines as long as somebody takes them. The work goes on without."""

    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say once that lines cannot be written: the traceback of each would be many times as long."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        if isinstance(error, BrokenPipeError):
            _write_to_nobody(sys.stdout)
        if not self._told and sys.stderr is not None:
            self._told = True
            try:
                sys.stderr.write(f"orderlatch: standard output takes no lines ({error.strerror})\n")
            except OSError:
                _write_to_nobody(sys.stderr)


def _write_to_nobody(stream: TextIO) -> None:
    """Let a stream whose reader is gone, which is for good, end with the process in good order."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, stream.fileno())
    os.close(nobody)


def configure_logs() -> None:
    """Send structlog's events, and what libraries have to say, through one JSON formatter."""
    stamps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    handler = _Lines(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*stamps, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _in_reading_order,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    structlog.configure(
        processors=[*stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # httpx names whole URLs and httpcore whole headers, keys included: neither is heard at any level.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).disabled = True
    # The pool repeats at each try what worker/postgres.py says once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def _in_reading_order(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Put when and what before the particulars."""
    first = ("at", "level", "event")
    return {name: event[name] for name in first} | {k: v for k, v in event.items() if k not in first}
