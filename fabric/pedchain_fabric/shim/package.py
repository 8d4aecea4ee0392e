# SPDX-License-Identifier: Apache-2.0
"""What is served: one installed package of a peer, at one address."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pedchain_fabric.shim.contract import Contract
from pedchain_fabric.shim.tls import Tls

_ADDRESS = ("CHAINCODE_SERVER_ADDRESS", "CORE_CHAINCODE_ADDRESS")
_ID = ("CHAINCODE_ID", "CORE_CHAINCODE_ID_NAME", "CORE_CHAINCODE_ID")


@dataclass(frozen=True, slots=True)
class Package:
    """`ccid` is the package id (`label:sha256`), `address` is `host:port` to listen on.

    The first contract is the default one: a client may leave out its name. `code` names further
    importable packages whose sources belong in the code digest, beside those of the contracts.
    `msp_id` is the organisation whose peer it serves; without it `Context.peer_msp_id` is what
    the variable CORE_PEER_LOCALMSPID says.
    """

    ccid: str
    address: str
    contracts: Sequence[Contract]
    tls: Tls | None = None
    code: Sequence[str] = ()
    msp_id: str = ""

    @classmethod
    def from_environment(
        cls, contracts: Sequence[Contract], environment: Mapping[str, str] = os.environ
    ) -> "Package":
        """As a container is told: address, package id and TLS files in the usual variables.

        Raises `ValueError` if the address or the id is missing.
        """
        return cls(
            ccid=_first(environment, _ID),
            address=_first(environment, _ADDRESS),
            contracts=contracts,
            tls=Tls.from_environment(environment),
        )


def _first(environment: Mapping[str, str], names: Sequence[str]) -> str:
    for name in names:
        if environment.get(name):
            return environment[name]
    raise ValueError(f"none of {', '.join(names)} is set")
