# SPDX-License-Identifier: Apache-2.0
"""The occupant's word: no planning for now, and planning again."""

from emsagent.config import Config
from emsagent.errors import ConfigError
from emsagent.promises import replaced
from emsagent.steering.places import pause_path


def pause(config: Config, home: str, *, paused: bool) -> None:
    """Have a home's devices left to themselves from now on, or planned for again. Raises
    `ConfigError` for a home that plans nothing."""
    if all(one.home != home for one in config.plans):
        raise ConfigError("plan", f"{home} plans nothing")
    path = pause_path(config, home)
    if paused:
        replaced(path, "")
    else:
        path.unlink(missing_ok=True)
