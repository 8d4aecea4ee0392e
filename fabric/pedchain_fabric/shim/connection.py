# SPDX-License-Identifier: Apache-2.0
"""The chaincode's end of one stream with a peer: handshake, calls, answers (no I/O).

Messages come in through `receive` and go out through the function given; how they travel is
the server's business. The order of messages is that of Fabric's core/chaincode/handler.go.
"""

import asyncio
import logging
from collections.abc import Callable

from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.deadlines import Deadlines
from pedchain_fabric.shim.encoding import Envelope
from pedchain_fabric.shim.exchange import Exchange
from pedchain_fabric.shim.execution import execute
from pedchain_fabric.shim.limits import TRANSACTIONS_PER_STREAM

log = logging.getLogger(__name__)

_KEEPALIVE = ChaincodeMessage.KEEPALIVE  # looking them up costs more than comparing them
_CALLS = (ChaincodeMessage.TRANSACTION, ChaincodeMessage.INIT)
_ANSWERS = (ChaincodeMessage.RESPONSE, ChaincodeMessage.ERROR)


_ENVELOPE = Envelope("", "")  # of messages that belong to no transaction


class Connection:
    """Serves one peer. Transactions run concurrently, each with its own `Exchange`."""

    def __init__(self, ccid: str, contracts: Contracts, send: Callable[[bytes], None]) -> None:
        self._ccid = ccid
        self._contracts = contracts
        self._send = send
        self._registered = False
        self._abilities: Abilities | None = None
        self._running: dict[tuple[str, str], tuple[Exchange, asyncio.Task[None]]] = {}
        self._deadlines = Deadlines()
        self._draining = False

    def start(self) -> None:
        """Say who we are: in Fabric the chaincode speaks first, even where the peer dials."""
        name = ChaincodeID(name=self._ccid).SerializeToString()
        self._send(_ENVELOPE.message(ChaincodeMessage.REGISTER, name))

    def receive(self, message: ChaincodeMessage) -> None:
        """Take a message from the peer.

        Raises `WireError` for one that breaks the protocol: the stream must be ended.
        """
        kind = message.type
        if self._abilities is not None and kind in _ANSWERS:
            self._answer(message)
        elif kind == _KEEPALIVE:
            self._send(_ENVELOPE.message(_KEEPALIVE, b""))
        elif self._abilities is None:
            self._handshake(message)
        elif kind in _CALLS:
            self._begin(message, self._abilities)
        else:
            raise _unexpected(message)

    async def drain(self) -> None:
        """Refuse new calls, and wait for those that run."""
        self._draining = True
        while self._running:
            await asyncio.wait([task for _, task in self._running.values()])

    async def close(self) -> None:
        """Cancel what runs: the stream is gone and nobody waits for the answers."""
        self._draining = True
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()  # a task cancelled before it began has not removed itself

    def _handshake(self, message: ChaincodeMessage) -> None:
        if message.type == ChaincodeMessage.REGISTERED and not self._registered:
            self._registered = True
        elif message.type == ChaincodeMessage.READY and self._registered:
            self._abilities = Abilities.from_ready(message.payload)
            log.info("%s is ready", self._ccid)
        else:
            raise _unexpected(message)

    def _answer(self, message: ChaincodeMessage) -> None:
        running = self._running.get((message.channel_id, message.txid))
        if running is None:
            log.debug("[%.8s] an answer came too late", message.txid)
        else:
            running[0].answer(message)

    def _begin(self, message: ChaincodeMessage, abilities: Abilities) -> None:
        key = (message.channel_id, message.txid)
        problem = self._problem(key)
        if problem:
            envelope = Envelope(message.channel_id, message.txid)
            self._send(envelope.message(ChaincodeMessage.ERROR, problem.encode()))
            return
        exchange = Exchange(message.channel_id, message.txid, self._send)
        task = exchange.loop.create_task(self._run(message, exchange, abilities))
        self._running[key] = exchange, task

    def _problem(self, key: tuple[str, str]) -> str:
        """Why a call cannot begin, or nothing.

        A transaction runs already if its peer gave up waiting and the client tries the same
        proposal again; mixing their answers would be worse than refusing.
        """
        if self._draining:
            return "the chaincode is stopping"
        if key in self._running:
            return "the transaction is still running"
        if len(self._running) >= TRANSACTIONS_PER_STREAM:
            return "too many transactions at once"
        return ""

    async def _run(
        self, message: ChaincodeMessage, exchange: Exchange, abilities: Abilities
    ) -> None:
        try:
            answer = await execute(self._contracts, message, exchange, abilities, self._deadlines)
        finally:
            # Before the answer: the same transaction may call this chaincode again at once.
            del self._running[message.channel_id, message.txid]
        self._send(answer)


def _unexpected(message: ChaincodeMessage) -> WireError:
    name = (
        ChaincodeMessage.Type.Name(message.type)
        if message.type in ChaincodeMessage.Type.values()
        else "unknown"
    )
    return WireError(f"unexpected {name} message ({message.type})")
