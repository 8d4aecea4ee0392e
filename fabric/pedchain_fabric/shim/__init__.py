# SPDX-License-Identifier: Apache-2.0
"""Chaincode in Python: asyncio contracts, served to Hyperledger Fabric peers as a service."""

from pedchain_fabric.errors import ContractError
from pedchain_fabric.shim.clientidentity import ClientIdentity
from pedchain_fabric.shim.context import Context
from pedchain_fabric.shim.contract import Contract, evaluate, submit
from pedchain_fabric.shim.dial import Peer, dial, start
from pedchain_fabric.shim.errors import CalledChaincodeError, PeerError, Refusal, StubError
from pedchain_fabric.shim.package import Package
from pedchain_fabric.shim.process import run, serve
from pedchain_fabric.shim.query import KeyModification, KeyValue, Page, Results
from pedchain_fabric.shim.reply import Reply
from pedchain_fabric.shim.server import Server
from pedchain_fabric.shim.stub import Stub
from pedchain_fabric.shim.tls import Tls

__all__ = [
    "CalledChaincodeError",
    "ClientIdentity",
    "Context",
    "Contract",
    "ContractError",
    "KeyModification",
    "KeyValue",
    "Package",
    "Page",
    "Peer",
    "PeerError",
    "Refusal",
    "Reply",
    "Results",
    "Server",
    "Stub",
    "StubError",
    "Tls",
    "dial",
    "evaluate",
    "run",
    "serve",
    "start",
    "submit",
]
