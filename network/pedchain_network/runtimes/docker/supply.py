# SPDX-License-Identifier: Apache-2.0
"""Getting the images that are missing: Fabric's from its registry, ours built where their source
is."""

from pedchain_network.errors import ImageMissingError
from pedchain_network.progress import Progress
from pedchain_network.runtimes.docker import images
from pedchain_network.runtimes.docker.engine import Engine


def ensure(engine: Engine, release: str, progress: Progress) -> None:
    """Pull or build what is missing. Raises `ImageMissingError`, naming what cannot be had."""
    root = images.source()
    for name in images.needed(release):
        if engine.has_image(name):
            continue
        progress.step(f"image {name} is not here")
        if root is not None and name == images.own(images.CHAINCODE):
            engine.build(root, images.DOCKERFILE, images.CHAINCODE, name)
            progress.step(f"built {name} from {root}")
        else:
            engine.pull(name)
            progress.step(f"pulled {name}")


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
