# SPDX-License-Identifier: Apache-2.0
"""Whose part of the network is run from here.

A consortium on one machine has everybody's keys in one state directory. An organisation that runs
its part on a host of its own has its own keys there, and of the others only certificates.
"""

from pathlib import Path

from pedchain_network.topology.model import Topology

_KEY = "key.pem"
_CERTIFICATE = "tlsca/cert.pem"


def is_foreign(root: Path, organization: str) -> bool:
    """Is the organisation run elsewhere: there are certificates of it below `root`, but no key."""
    own = root / organization
    return (own / _CERTIFICATE).exists() and next(own.rglob(_KEY), None) is None


def here(root: Path, topology: Topology) -> frozenset[str]:
    """Names of the organisations that are run from here."""
    names = (each.name for each in topology.organizations)
    return frozenset(each for each in names if not is_foreign(root, each))


def whole(root: Path, topology: Topology) -> bool:
    """All organisations are run from here."""
    return len(here(root, topology)) == len(topology.organizations)
