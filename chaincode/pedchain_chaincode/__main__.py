# SPDX-License-Identifier: Apache-2.0
"""`python -m pedchain_chaincode`: the command `ped-chaincode`, with all that it may serve loaded
before it is called, so that who starts several servers loads them once."""

import sys

import pedchain_fabric.shim  # noqa: F401 - loaded here, used by `main`
from pedchain_chaincode.cli import PACKAGES, contracts, main

__all__ = ("main",)

for _name in PACKAGES:
    contracts(_name)

if __name__ == "__main__":
    sys.exit(main())
