# SPDX-License-Identifier: Apache-2.0
"""What a test network runs: contracts under a name, and who must agree to what they write."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.admin.package import Package, service_package
from pedchain_fabric.shim import Contract


@dataclass(frozen=True, slots=True)
class Chaincode:
    """`name` also names the package, so it holds letters, digits and `_` only.

    Without an `endorsement` policy text a majority of the organisations must endorse. Collections
    name MSP ids. `dial`: `host:port` where a chaincode in another process or language listens as a
    service; `contracts` stay empty then.
    """

    name: str
    contracts: Sequence[Contract] = ()
    endorsement: str = ""
    collections: Sequence[Collection] = ()
    dial: str = ""
    code: Sequence[str] = field(default=())

    @property
    def package(self) -> Package:
        """What every peer installs. Raises `ValueError` for a name that is no package label."""
        return service_package(self.name)

    def definition(self, majority: str) -> Definition:
        """What all organisations agree to."""
        return Definition(
            name=self.name,
            version="1",
            sequence=1,
            endorsement=self.endorsement or majority,
            collections=tuple(self.collections),
        )
