# SPDX-License-Identifier: Apache-2.0
"""Serves settlement as it is, and in metering's place a contract that prints the certificates that
the measurement made: what is measured is the market, not a district's readings."""

import asyncio
import sys

from pedchain_chaincode.cli import contracts
from pedchain_fabric.shim import Package, Tls, serve
from tests.unit.chaincode.certified import PrintingContract

COMMAND = (sys.executable, "-m", "bench.printing", "serve")


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    name, address, ccid = text.split("=", 2)
    served = [PrintingContract()] if name == "metering" else contracts(name)
    return Package(ccid, address, served, tls=Tls.from_environment())


if __name__ == "__main__":
    asyncio.run(serve([package(each) for each in sys.argv[2:] if each != "--package"]))
