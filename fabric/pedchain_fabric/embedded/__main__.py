# SPDX-License-Identifier: Apache-2.0
"""`python -m pedchain_fabric.embedded CONFIG.json`: a Fabric network in one process."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from pedchain_fabric.embedded.config import ConfigError, NetworkConfig, load
from pedchain_fabric.embedded.ledger import LedgerError
from pedchain_fabric.embedded.node import Network

_BANNER = (
    "pedchain embedded network: Fabric's protocols in one Python process, on loopback only. "
    "For trying, developing and testing, never for production: all organisations share it."
)


def main() -> int:
    """Runs until SIGTERM or SIGINT. Returns 1 if it broke, 2 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m pedchain_fabric.embedded", description=_BANNER)
    parser.add_argument("config", type=Path, metavar="CONFIG.json")
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s"
    )
    _say(_BANNER)
    try:
        return asyncio.run(_run(load(arguments.config)))
    except (ConfigError, LedgerError, OSError) as error:
        sys.stderr.write(f"embedded network: {error}\n")
        return 2


async def _run(config: NetworkConfig) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    network = Network(config, broken=stopping.set)
    await network.start()
    _say("ready")
    await stopping.wait()
    await network.stop()
    return 0 if network.failure is None else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
