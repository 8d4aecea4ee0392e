# SPDX-License-Identifier: Apache-2.0
"""A chaincode server over the bare protocol, well behaved or not as its function asks.

Started as `ped-network` starts chaincode: `serve --package name=address=ccid ...`. It shares
nothing with the product's shim, so what a peer does is seen as it is.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeSpec,
)
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetHistoryForKey,
    GetQueryResult,
    GetState,
    GetStateByRange,
    PutState,
    PutStateMetadata,
    QueryResponse,
    QueryStateNext,
    StateMetadata,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal
from fabric_protos.peer.proposal_response_pb2 import Response

M = ChaincodeMessage
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class PeerRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The peer answered ERROR; the text is its own."""


class Call:
    """One transaction on one stream."""

    def __init__(self, stream: "Stream", message: M) -> None:
        self.stream = stream
        self.transaction = message.txid
        self.channel = message.channel_id
        self.args = list(ChaincodeInput.FromString(message.payload).args)
        self.proposal = message.proposal
        self.answers: asyncio.Queue[M] = asyncio.Queue()
        self.event: ChaincodeEvent | None = None

    def send(self, kind: M.Type.ValueType, payload: bytes) -> None:
        """One request, whether or not another is outstanding."""
        self.stream.outgoing.put_nowait(
            M(type=kind, payload=payload, txid=self.transaction, channel_id=self.channel)
        )

    async def ask(self, kind: M.Type.ValueType, payload: bytes) -> bytes:
        """One request and its answer. Raises PeerRefused."""
        self.send(kind, payload)
        answer = await self.answers.get()
        if answer.type == M.ERROR:
            raise PeerRefused(answer.payload.decode())
        return answer.payload

    def transient(self) -> bytes:
        """The value `v` of the transient map."""
        payload = Proposal.FromString(self.proposal.proposal_bytes).payload
        return ChaincodeProposalPayload.FromString(payload).TransientMap["v"]


class Stream:
    """The chaincode's side of one peer's stream."""

    def __init__(self, ccid: str) -> None:
        self.ccid = ccid
        self.outgoing: asyncio.Queue[M | None] = asyncio.Queue()
        self.calls: dict[tuple[str, str], Call] = {}
        self.ready = b""
        self.tasks: set[asyncio.Task[None]] = set()

    async def read(self, requests: AsyncIterator[M]) -> None:
        """Dispatches what the peer sends."""
        async for message in requests:
            key = (message.channel_id, message.txid)
            if message.type in (M.TRANSACTION, M.INIT):
                self.calls[key] = call = Call(self, message)
                task = asyncio.create_task(self.run(key, call))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            elif message.type in (M.RESPONSE, M.ERROR) and key in self.calls:
                self.calls[key].answers.put_nowait(message)
            elif message.type == M.READY:
                self.ready = message.payload
        self.outgoing.put_nowait(None)

    async def run(self, key: tuple[str, str], call: Call) -> None:
        """Answers one transaction."""
        name = call.args[0].decode() if call.args else ""
        kind, payload = M.COMPLETED, b""
        try:
            response = await FUNCTIONS[name](call, *call.args[1:])
        except PeerRefused as refused:
            response = Response(status=500, message=str(refused))
        if response is None:
            return
        if name == "protocol-error":
            kind, payload = M.ERROR, b"broken on purpose"
        else:
            payload = response.SerializeToString()
        message = M(type=kind, payload=payload, txid=call.transaction, channel_id=call.channel)
        if call.event is not None:
            message.chaincode_event.CopyFrom(call.event)
        del self.calls[key]
        self.outgoing.put_nowait(message)


def _ok(payload: bytes = b"") -> Response:
    return Response(status=200, payload=payload)


async def _put(call: Call, key: bytes, value: bytes) -> Response:
    await call.ask(M.PUT_STATE, PutState(key=key.decode(), value=value).SerializeToString())
    return _ok(b"put")


async def _get(call: Call, key: bytes) -> Response:
    return _ok(await call.ask(M.GET_STATE, GetState(key=key.decode()).SerializeToString()))


async def _copy(call: Call, source: bytes, target: bytes) -> Response:
    value = await call.ask(M.GET_STATE, GetState(key=source.decode()).SerializeToString())
    return await _put(call, target, value + b"+")


async def _delete(call: Call, key: bytes) -> Response:
    await call.ask(M.DEL_STATE, DelState(key=key.decode()).SerializeToString())
    return _ok()


async def _put_private(call: Call, collection: bytes, key: bytes) -> Response:
    put = PutState(key=key.decode(), collection=collection.decode(), value=call.transient())
    await call.ask(M.PUT_STATE, put.SerializeToString())
    return _ok()


async def _get_private(call: Call, collection: bytes, key: bytes) -> Response:
    get = GetState(key=key.decode(), collection=collection.decode())
    return _ok(await call.ask(M.GET_STATE, get.SerializeToString()))


async def _policy(call: Call, key: bytes, policy: bytes) -> Response:
    entry = StateMetadata(metakey="VALIDATION_PARAMETER", value=policy)
    put = PutStateMetadata(key=key.decode(), metadata=entry)
    await call.ask(M.PUT_STATE_METADATA, put.SerializeToString())
    return _ok()


async def _fill(call: Call, prefix: bytes, count: bytes) -> Response:
    for number in range(int(count)):
        await _put(call, prefix + b"%04d" % number, b"%d" % number)
    return _ok()


async def _pages(call: Call, start: bytes, end: bytes) -> Response:
    """How many results came in each message of a range query."""
    query = GetStateByRange(startKey=start.decode(), endKey=end.decode())
    answer = QueryResponse.FromString(
        await call.ask(M.GET_STATE_BY_RANGE, query.SerializeToString())
    )
    sizes = [len(answer.results)]
    while answer.has_more:
        payload = QueryStateNext(id=answer.id).SerializeToString()
        answer = QueryResponse.FromString(await call.ask(M.QUERY_STATE_NEXT, payload))
        sizes.append(len(answer.results))
    return _ok(repr(sizes).encode())


async def _history(call: Call, key: bytes) -> Response:
    query = GetHistoryForKey(key=key.decode())
    payload = await call.ask(M.GET_HISTORY_FOR_KEY, query.SerializeToString())
    return _ok(b"%d" % len(QueryResponse.FromString(payload).results))


async def _rich(call: Call, text: bytes) -> Response:
    payload = GetQueryResult(query=text.decode()).SerializeToString()
    return _ok(await call.ask(M.GET_QUERY_RESULT, payload))


async def _twice(call: Call, key: bytes) -> Response:
    """Two requests at once: was one answered at least? Fabric drops the second without a word while
    the first is being worked on (core/chaincode/handler.go, registerTxid), and answers it when that
    is done by then: a matter of microseconds, so one and two are the same fact."""
    payload = GetState(key=key.decode()).SerializeToString()
    for _ in range(2):
        call.send(M.GET_STATE, payload)
    answers = 0
    try:
        async with asyncio.timeout(1):
            while True:
                await call.answers.get()
                answers += 1
    except TimeoutError:
        return _ok(b"one or two" if answers in (1, 2) else b"%d" % answers)


async def _event(call: Call, name: bytes, payload: bytes) -> Response:
    call.event = ChaincodeEvent(event_name=name.decode(), payload=payload)
    return _ok(b"event")


async def _refuse(_call: Call, status: bytes, message: bytes) -> Response:
    return Response(status=int(status), message=message.decode(), payload=b"refused")


async def _refuse_after_write(call: Call, status: bytes) -> Response:
    await _put(call, b"refused", b"x")
    call.event = ChaincodeEvent(event_name="refused")
    return Response(status=int(status), message="after a write")


async def _invoke(call: Call, target: bytes, *args: bytes) -> Response:
    spec = ChaincodeSpec(
        chaincode_id=ChaincodeID(name=target.decode()), input=ChaincodeInput(args=args)
    )
    nested = M.FromString(await call.ask(M.INVOKE_CHAINCODE, spec.SerializeToString()))
    answer = Response.FromString(nested.payload)
    return Response(
        status=answer.status,
        message=f"nested {M.Type.Name(nested.type)}: {answer.message}",
        payload=answer.payload,
    )


_numbers = itertools.count()


async def _differ(_call: Call) -> Response:
    return _ok(b"%d-%d" % (os.getpid(), next(_numbers)))


async def _probe(_call: Call) -> Response:
    """What `ped-network up` asks to see that a network works."""
    return _ok(b"{}")


async def _ready(call: Call) -> Response:
    return _ok(call.stream.ready)


async def _hang_up(call: Call) -> None:
    call.stream.outgoing.put_nowait(None)


async def _protocol_error(_call: Call) -> Response:
    return _ok()


FUNCTIONS: dict[str, Callable[..., Awaitable[Response | None]]] = {
    "put": _put,
    "get": _get,
    "copy": _copy,
    "delete": _delete,
    "put-private": _put_private,
    "get-private": _get_private,
    "policy": _policy,
    "fill": _fill,
    "pages": _pages,
    "history": _history,
    "rich": _rich,
    "twice": _twice,
    "event": _event,
    "refuse": _refuse,
    "refuse-after-write": _refuse_after_write,
    "invoke": _invoke,
    "differ": _differ,
    "ready": _ready,
    "hang-up": _hang_up,
    "protocol-error": _protocol_error,
    "org.hyperledger.fabric:GetMetadata": _probe,
}


class Server:
    """One package's server."""

    def __init__(
        self, ccid: str, address: str, credentials: grpc.ServerCredentials | None = None
    ) -> None:
        self._ccid = ccid
        self._server = grpc.aio.server(options=_OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(
            self._connect, M.FromString, M.SerializeToString
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": handler}),)
        )
        if credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, credentials)

    async def start(self) -> None:
        """Listens."""
        await self._server.start()

    async def stop(self) -> None:
        """Ends all streams."""
        await self._server.stop(None)

    async def _connect(
        self, requests: AsyncIterator[M], _context: "grpc.aio.ServicerContext[M, M]"
    ) -> AsyncIterator[M]:
        stream = Stream(self._ccid)
        reading = asyncio.create_task(stream.read(requests))
        name = ChaincodeID(name=self._ccid).SerializeToString()
        yield M(type=M.REGISTER, payload=name)
        while (message := await stream.outgoing.get()) is not None:
            yield message
        reading.cancel()


def credentials(certificate: Path, key: Path, client_ca: Path) -> grpc.ServerCredentials:
    """Mutual TLS."""
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        root_certificates=client_ca.read_bytes(),
        require_client_auth=True,
    )


def told() -> grpc.ServerCredentials | None:
    """The TLS material `ped-network` names in the environment."""
    names = ("CHAINCODE_TLS_CERT", "CHAINCODE_TLS_KEY", "CHAINCODE_CLIENT_CA_CERT")
    if names[0] not in os.environ:
        return None
    return credentials(*(Path(os.environ[each]) for each in names))


async def main(packages: list[str]) -> None:
    """Serve each `name=address=ccid` until SIGTERM."""
    servers = []
    for package in packages:
        name, address, ccid = package.split("=", 2)
        servers.append(Server(ccid, address, told()))
        await servers[-1].start()
        sys.stdout.write(f"serving {name} on {address}\n")
        sys.stdout.flush()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await stopping.wait()
    await asyncio.gather(*(server.stop() for server in servers))


if __name__ == "__main__":
    asyncio.run(main([each for each in sys.argv[2:] if each != "--package"]))
