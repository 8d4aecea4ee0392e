# SPDX-License-Identifier: Apache-2.0
"""The compose command: v2 as the engine's plugin, else v1.29 or v2 by itself."""

import re
import shutil
import subprocess
from collections.abc import Sequence

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.limits import VERSION_TIMEOUT_S

_OLDEST = (1, 29)
_CANDIDATES = (("docker", "compose"), ("docker-compose",))


def find() -> tuple[str, ...]:
    """The compose command. Raises `RuntimeMissingError`."""
    for command in _CANDIDATES:
        if shutil.which(command[0]) and _version(command) >= _OLDEST:
            return command
    raise RuntimeMissingError(
        "docker: compose is missing",
        "install the docker-compose-plugin (v2), or docker-compose 1.29",
    )


def _version(command: Sequence[str]) -> tuple[int, ...]:
    try:
        asked = subprocess.run(  # noqa: S603 - one of two fixed commands
            [*command, "version", "--short"],
            capture_output=True,
            text=True,
            check=False,
            timeout=VERSION_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return ()
    numbers = re.match(r"v?(\d+)\.(\d+)", asked.stdout.strip())
    return tuple(map(int, numbers.groups())) if numbers and not asked.returncode else ()
