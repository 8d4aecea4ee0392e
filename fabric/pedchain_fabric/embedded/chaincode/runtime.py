# SPDX-License-Identifier: Apache-2.0
"""Launches chaincode on demand and executes transactions on it.

Source: core/chaincode/chaincode_support.go, runtime_launcher.go, handler_registry.go.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode import package as packages
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context, Transaction
from pedchain_fabric.embedded.chaincode.dialer import DialFailed, Stream, connect
from pedchain_fabric.embedded.chaincode.handler import Handler, Invoke
from pedchain_fabric.embedded.store import PackageStore
from pedchain_fabric.errors import WireError

_log = logging.getLogger("chaincode")


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """How this peer runs chaincode. `values` fill connection.json's templates."""

    values: Mapping[str, str]
    execute_timeout_s: float = limits.EXECUTE_TIMEOUT_S
    user_runs_chaincode: bool = False
    keepalive_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """What to call: the namespace, the package behind it, and whether this call is its Init."""

    namespace: str
    ccid: str
    is_init: bool = False


class ChaincodeRuntime:
    """All chaincode streams of one peer."""

    def __init__(self, store: PackageStore, settings: RuntimeSettings, invoke: Invoke) -> None:
        self._store = store
        self._settings = settings
        self._invoke = invoke
        self._handlers: dict[str, Handler] = {}
        self._launching: dict[str, asyncio.Future[None]] = {}
        self._streams: set[asyncio.Task[None]] = set()

    async def execute(
        self, transaction: Transaction, target: Target, call: ChaincodeInput
    ) -> ChaincodeMessage:
        """Runs the transaction and returns COMPLETED or ERROR. Raises ChaincodeFailed."""
        handler = await self._launch(target.ccid)
        context = Context(transaction, target.namespace, is_init=target.is_init)
        message = ChaincodeMessage(
            type=ChaincodeMessage.INIT if target.is_init else ChaincodeMessage.TRANSACTION,
            payload=call.SerializeToString(),
            txid=transaction.id,
            channel_id=transaction.channel_id,
            proposal=transaction.signed,
        )
        try:
            return await handler.execute(context, message, self._settings.execute_timeout_s)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(f"error sending: {error}") from error

    async def _launch(self, ccid: str) -> Handler:
        """The ready handler, dialling the chaincode if need be. Raises ChaincodeFailed."""
        handler = self._handlers.get(ccid)
        if handler is not None and handler.is_ready:
            return handler
        try:
            await self._launched(ccid)
        except ChaincodeFailed as error:
            raise ChaincodeFailed(f"could not launch chaincode {ccid}: {error}") from error
        handler = self._handlers.get(ccid)
        if handler is None:
            raise ChaincodeFailed(
                f"claimed to start chaincode container for {ccid} but could not find handler"
            )
        return handler

    async def _launched(self, ccid: str) -> None:
        launch = self._launching.get(ccid)
        if launch is None:
            launch = asyncio.get_running_loop().create_future()
            self._launching[ccid] = launch
            self._start(ccid, launch)
        try:
            await asyncio.wait_for(asyncio.shield(launch), limits.STARTUP_TIMEOUT_S)
        except TimeoutError as error:
            self._launching.pop(ccid, None)
            raise ChaincodeFailed(
                f"timeout expired while starting chaincode {ccid} for transaction"
            ) from error

    def _start(self, ccid: str, launch: asyncio.Future[None]) -> None:
        task = asyncio.create_task(self._stream_to(ccid, launch))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _stream_to(self, ccid: str, launch: asyncio.Future[None]) -> None:
        reason = f"connection to {ccid} terminated"
        try:
            async with connect(ccid, self._connection(ccid)) as stream:
                await self.serve(stream)
        except (DialFailed, ChaincodeFailed, WireError) as error:
            reason = f"connection to {ccid} failed: {error}"
            _log.debug("%s", reason)
        except packages.PackageRefused as error:
            reason = f"error building chaincode: error building image: {error}"
        finally:
            self._launching.pop(ccid, None)
            _settle(launch, ChaincodeFailed(reason))

    def _connection(self, ccid: str) -> packages.Connection:
        package = self._store.get(ccid)
        if package is None:
            raise packages.PackageRefused(
                "failed to get chaincode package for external build: "
                f"could not get legacy chaincode package '{ccid}'"
            )
        return packages.connection(packages.parse(package), self._settings.values)

    async def serve(self, stream: Stream) -> None:
        """Handles one stream until it ends. Raises DialFailed or ChaincodeFailed."""
        handler = Handler(stream, self, self._invoke, self._settings.keepalive_s)
        await handler.run()

    def register(self, handler: Handler) -> None:
        """Source: HandlerRegistry.Register."""
        if handler.ccid in self._handlers:
            raise ChaincodeFailed(f"duplicate chaincodeID: {handler.ccid}")
        if handler.ccid not in self._launching and not self._settings.user_runs_chaincode:
            raise ChaincodeFailed(
                f"peer will not accept external chaincode connection {handler.ccid} "
                "(except in dev mode)"
            )
        self._handlers[handler.ccid] = handler

    def ready(self, handler: Handler) -> None:
        """The chaincode has got its READY."""
        launch = self._launching.get(handler.ccid)
        if launch is not None and not launch.done():
            launch.set_result(None)

    def failed(self, ccid: str, reason: str) -> None:
        """The chaincode may not register."""
        launch = self._launching.get(ccid)
        if launch is not None:
            _settle(launch, ChaincodeFailed(f"chaincode registration failed: {reason}"))

    def deregister(self, handler: Handler) -> None:
        """The stream is gone: the next call dials again."""
        if self._handlers.get(handler.ccid) is handler:
            del self._handlers[handler.ccid]
            self._launching.pop(handler.ccid, None)

    async def close(self) -> None:
        """Ends all streams."""
        for task in self._streams:
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)


def _settle(launch: asyncio.Future[None], error: ChaincodeFailed) -> None:
    if not launch.done():
        launch.set_exception(error)
        launch.exception()  # nobody may be waiting any more


@dataclass(frozen=True, slots=True)
class Outcome:
    """A chaincode's response and, if it set one, its event."""

    response: Response
    event: ChaincodeEvent | None


def result(transaction_id: str, namespace: str, message: ChaincodeMessage) -> Outcome:
    """What a chaincode answered. Raises ChaincodeFailed for ERROR.

    Source: processChaincodeExecutionResult.
    """
    if message.type == ChaincodeMessage.ERROR:
        text = message.payload.decode("utf-8", "replace")
        raise ChaincodeFailed(f"transaction returned with failure: {text}")
    event = None
    if message.HasField("chaincode_event"):
        event = message.chaincode_event
        event.chaincode_id = namespace
        event.tx_id = transaction_id
    return Outcome(Response.FromString(message.payload), event)
