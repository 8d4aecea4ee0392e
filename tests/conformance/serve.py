# SPDX-License-Identifier: Apache-2.0
"""Serves the conformance contracts: `serve.py --package name=address=ccid ...`."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pedchain_fabric.shim import Package, Tls, serve
from tests.conformance.contract import CONTRACTS


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    name, address, ccid = text.split("=", 2)
    contracts = [contract() for contract in CONTRACTS[name]]
    return Package(ccid, address, contracts, tls=Tls.from_environment())


if __name__ == "__main__":
    asyncio.run(serve([package(text) for text in sys.argv[1:] if text != "--package"]))
