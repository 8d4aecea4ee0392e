# SPDX-License-Identifier: Apache-2.0
"""`python -m pedchain_fabric.embedded CONFIG.json`: a Fabric network in one process.

SIGHUP makes it read CONFIG.json again.
"""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from pedchain_fabric.embedded.config import ConfigError, load
from pedchain_fabric.embedded.ledger import LedgerError
from pedchain_fabric.embedded.node import Network

_BANNER = (
    "pedchain embedded network: Fabric's protocols in one Python process, on loopback only. "
    "For trying, developing and testing, never for production: all organisations share it."
)


_SIGNALS = """\
SIGHUP makes the process read CONFIG.json and the files it names again. Nodes that are new there are
started, nodes that are gone are ended (what they joined stays on disk), nodes of which anything
changed (address, keys, certificates, MSP folder, chaincode addresses) are restarted; all others go
on undisturbed. One line on standard output says what was done:
  reloaded: +started ~restarted -ended !name: why it could not be started
  reloaded: nothing changed
  reload refused: what is wrong with CONFIG.json (nothing was changed then)
Send it only once the process has said "ready". SIGTERM and SIGINT end it.
"""


def main() -> int:
    """Runs until SIGTERM or SIGINT. Returns 1 if it broke, 2 if it could not start."""
    parser = argparse.ArgumentParser(
        prog="python -m pedchain_fabric.embedded",
        description=_BANNER,
        epilog=_SIGNALS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", type=Path, metavar="CONFIG.json")
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s"
    )
    _say(_BANNER)
    try:
        return asyncio.run(_run(arguments.config))
    except (ConfigError, LedgerError, OSError) as error:
        sys.stderr.write(f"embedded network: {error}\n")
        return 2


async def _run(path: Path) -> int:
    stopping, changed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, changed.set)
    network = Network(load(path), broken=stopping.set)
    await network.start()
    _say("ready")
    reloading = asyncio.create_task(_reload_whenever(changed, network, path))
    await stopping.wait()
    reloading.cancel()
    await asyncio.gather(reloading, return_exceptions=True)
    await network.stop()
    return 0 if network.failure is None else 1


async def _reload_whenever(changed: asyncio.Event, network: Network, path: Path) -> None:
    while True:
        await changed.wait()
        changed.clear()
        try:
            _say(f"reloaded: {await network.reload(load(path))}")
        except ConfigError as error:
            _say(f"reload refused: {error}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
