# SPDX-License-Identifier: Apache-2.0
"""`emsagent status`: how each home's records stand, read beside a running agent."""

from emsagent.config import Config
from emsagent.errors import OutboxMissing
from emsagent.home import outbox_path
from emsagent.outbox import Outbox
from emsagent.steering.intent import intent


def status(config: Config) -> list[dict[str, object]]:
    """One line per home: counts by state, counters by device, alarms."""
    return [_home(config, home.id) for home in config.homes]


def _home(config: Config, home: str) -> dict[str, object]:
    try:
        with Outbox(outbox_path(config, home), looking=True) as outbox:
            failures, until_ms = outbox.pause()
            return {
                "home": home,
                "records": {state.value: count for state, count in outbox.counts().items()},
                "counters": outbox.counters(),
                "pause": {"failures": failures, "until": until_ms // 1000},
                **intent(config, home),
                "alarms": [
                    {"at": at, "name": name, "detail": detail}
                    for at, name, detail in outbox.alarms()
                ],
            }
    except OutboxMissing:
        return {"home": home, "records": {}, "counters": {}, "alarms": []}
