# SPDX-License-Identifier: Apache-2.0
"""Getting the images that are missing: Fabric's from its registry, ours built where their source
is."""

from pathlib import Path

from pedchain_network.errors import ImageMissingError
from pedchain_network.progress import Progress
from pedchain_network.runtimes.docker import images
from pedchain_network.runtimes.docker.engine import Engine

SOURCE = "pedchain.source"
"""The label that says what one of our images was built from."""


def ensure(engine: Engine, release: str, progress: Progress) -> None:
    """Pull or build what is missing or older than its source. Raises `ImageMissingError`, naming
    what cannot be had."""
    root, own = images.source(), images.own(images.CHAINCODE)
    for name in images.needed(release):
        if name == own and root is not None:
            _build(engine, root, progress)
        elif not engine.has_image(name):
            progress.step(f"image {name} is not here")
            engine.pull(name)
            progress.step(f"pulled {name}")


def _build(engine: Engine, root: Path, progress: Progress) -> None:
    """The chaincode's image, unless it is here and of this very source."""
    name, source = images.own(images.CHAINCODE), images.digest(images.CHAINCODE, root)
    if engine.label(name, SOURCE) == source:
        return
    progress.step(f"image {name} is not here, or older than its source")
    engine.build(root, images.DOCKERFILE, images.CHAINCODE, name, {SOURCE: source})
    progress.step(f"built {name} from {root}")


def obstacle(engine: Engine, release: str) -> str:
    """Why the images cannot be had; nothing if they are here or can be pulled or built."""
    for name in images.needed(release):
        built = name == images.own(images.CHAINCODE) and images.source() is not None
        if built or engine.has_image(name):
            continue
        try:
            engine.find_remote(name)
        except ImageMissingError as missing:
            return missing.message
    return ""
