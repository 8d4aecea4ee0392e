# SPDX-License-Identifier: Apache-2.0
"""Where the container engine listens. Apart from its client, which is dear to import."""

import os
import socket
from pathlib import Path


def address() -> str | None:
    """Where the engine listens: $DOCKER_HOST, else the first of the usual sockets."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    places = [Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock"]
    if "XDG_RUNTIME_DIR" in os.environ:
        places.append(Path(os.environ["XDG_RUNTIME_DIR"]) / "docker.sock")
    return next((f"unix://{place}" for place in places if place.is_socket()), None)


def refusal(place: str) -> str:
    """Why nobody can be reached at this address, as far as that can be told without the engine's
    client; nothing if somebody takes connections."""
    if not place.startswith("unix://"):
        return ""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(place.removeprefix("unix://"))
        except OSError as error:
            return error.strerror or str(error)
    return ""
