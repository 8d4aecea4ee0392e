# SPDX-License-Identifier: Apache-2.0
"""Logs for machines: one JSON object per line on standard error. Never payloads, never keys."""

import json
import logging
import sys
import time


class JsonLines(logging.Formatter):
    """Formats a record and its `extra={"fields": {...}}` as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line: JSON escapes whatever could break out of it."""
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, default=str)


_LOGGER = logging.getLogger("emsagent")


def set_up() -> None:
    """Send the agent's events to standard error; other libraries only from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    _LOGGER.setLevel(logging.INFO)


def event(name: str, **fields: object) -> None:
    """Something happened as it should."""
    _LOGGER.info(name, extra={"fields": fields})


def alarm(name: str, **fields: object) -> None:
    """Something happened that a person must look at."""
    _LOGGER.error(name, extra={"fields": fields})
