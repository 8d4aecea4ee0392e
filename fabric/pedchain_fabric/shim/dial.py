# SPDX-License-Identifier: Apache-2.0
"""Chaincode that dials its peer, as a peer expects of what it launches itself (Go's shim.Start).

For peers in development mode (`peer node start --peer-chaincodedev`) and for external builders
whose `run` starts the chaincode. Elsewhere serve it (`server`): peers dial, and any number of them.
"""

import asyncio
import base64
import binascii
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import grpc
import grpc.aio
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeSupportStub

from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contract import Contract
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.limits import KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, MESSAGE_BYTES

if TYPE_CHECKING:  # it exists in the type stubs only
    from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeSupportAsyncStub

log = logging.getLogger(__name__)

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
_TRUE: Final = frozenset({"1", "t", "true"})
_FALSE: Final = frozenset({"0", "f", "false"})

Call: TypeAlias = grpc.aio.StreamStreamCall[ChaincodeMessage, ChaincodeMessage]


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a peer takes chaincode in: `host:port` of its chaincode listener.

    With TLS all three in PEM: what signed the peer's certificate, and the certificate and key that
    the peer gave this chaincode.
    """

    address: str
    root_certificate: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Peer":
        """As Go's shim is told: `CORE_PEER_ADDRESS`, `CORE_PEER_TLS_ENABLED` (needed), and with it
        `CORE_PEER_TLS_ROOTCERT_FILE` and `CORE_TLS_CLIENT_{KEY,CERT}_FILE` (PEM) or `_PATH` (base64
        of PEM).

        Raises `ValueError` for what is missing or no base64, `OSError` if a file cannot be read.
        """
        address = _required(environment, "CORE_PEER_ADDRESS")
        enabled = environment.get("CORE_PEER_TLS_ENABLED", "").lower()
        if enabled not in _TRUE | _FALSE:
            raise ValueError("'CORE_PEER_TLS_ENABLED' must be set to 'true' or 'false'")
        if enabled in _FALSE:
            return cls(address)
        root = Path(_required(environment, "CORE_PEER_TLS_ROOTCERT_FILE")).read_bytes()
        return cls(address, root, _pem(environment, "CERT"), _pem(environment, "KEY"))

    def channel(self) -> grpc.aio.Channel:
        """A connection to it, dialled when first used."""
        if self.root_certificate is None:
            return grpc.aio.insecure_channel(self.address, options=OPTIONS)
        credentials = grpc.ssl_channel_credentials(
            self.root_certificate, self.key, self.certificate
        )
        return grpc.aio.secure_channel(self.address, credentials, options=OPTIONS)


async def start(contracts: Sequence[Contract], environment: Mapping[str, str] = os.environ) -> None:
    """Dial the peer that the environment names, as the package `CORE_CHAINCODE_ID_NAME`.

    Serves until the peer ends the stream. Raises what `Peer.from_environment` and `dial` raise.
    """
    ccid = _required(environment, "CORE_CHAINCODE_ID_NAME")
    msp_id = environment.get("CORE_PEER_LOCALMSPID", "")
    await dial(Peer.from_environment(environment), ccid, Contracts(contracts, msp_id=msp_id))


async def dial(peer: Peer, ccid: str, contracts: Contracts) -> None:
    """Register as the package `ccid` and serve until the peer ends the stream.

    Raises `ConnectionError` if it cannot be reached or breaks the stream off (so does a peer that
    does not expect this package), `WireError` if it breaks the protocol. Cancel it to hang up.
    """
    async with peer.channel() as channel:
        support: ChaincodeSupportAsyncStub = ChaincodeSupportStub(channel)
        call: Call = support.Register()
        outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        connection = Connection(ccid, contracts, outgoing.put_nowait)
        connection.start()
        writing = asyncio.create_task(_write(call, outgoing))
        try:
            await _read(call, connection)
        except grpc.aio.AioRpcError as error:
            words = f"{error.code().name}: {error.details()}"
            raise ConnectionError(f"the peer at {peer.address} ended: {words}") from error
        finally:
            writing.cancel()
            call.cancel()
            await asyncio.gather(writing, connection.close(), return_exceptions=True)


async def _read(call: Call, connection: Connection) -> None:
    async for message in call:
        connection.receive(message)


async def _write(call: Call, outgoing: asyncio.Queue[bytes]) -> None:
    """The stream's only writer. Where it fails reading does too, and tells why."""
    while True:
        await call.write(ChaincodeMessage.FromString(await outgoing.get()))


def _required(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise ValueError(f"{name} is not set")
    return environment[name]


def _pem(environment: Mapping[str, str], part: str) -> bytes:
    name = f"CORE_TLS_CLIENT_{part}_FILE"
    if name in environment:
        return Path(environment[name]).read_bytes()
    name = f"CORE_TLS_CLIENT_{part}_PATH"
    encoded = Path(_required(environment, name)).read_bytes()
    try:
        return base64.b64decode(b"".join(encoded.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"{name} does not name base64") from error
