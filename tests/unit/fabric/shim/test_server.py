# SPDX-License-Identifier: Apache-2.0
"""The server over real sockets, against a peer's client."""

import asyncio
import gc
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.peer import chaincode_shim_pb2_grpc
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, PutState
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.shim import Context, Contract, Package, Server, Tls, serve, submit
from pedchain_fabric.shim.limits import COLLECTED_OBJECTS

M = ChaincodeMessage
LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Demo(Contract):
    name = "demo"

    @submit
    async def echo(self, ctx: Context, value: bytes) -> bytes:
        return value

    @submit
    async def put(self, ctx: Context, value: bytes) -> bytes:
        await ctx.stub.put_state("k", value)
        return b"done"


class Stream:
    """The peer's end of a gRPC stream."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub: chaincode_shim_pb2_grpc.ChaincodeAsyncStub
        stub = chaincode_shim_pb2_grpc.ChaincodeStub(channel)
        self._call = stub.Connect()

    async def hear(self) -> ChaincodeMessage:
        message = await asyncio.wait_for(self._call.read(), 20)
        assert isinstance(message, ChaincodeMessage), "the stream has ended"
        return message

    async def ended(self) -> bool:
        return not isinstance(await asyncio.wait_for(self._call.read(), 20), ChaincodeMessage)

    async def say(self, kind: M.Type.ValueType, payload: bytes = b"", txid: str = "") -> None:
        await self._call.write(M(type=kind, payload=payload, txid=txid, channel_id="ped"))

    async def shake_hands(self) -> str:
        register = await self.hear()
        assert register.type == M.REGISTER
        await self.say(M.REGISTERED)
        await self.say(M.READY)
        return ChaincodeID.FromString(register.payload).name

    async def call(self, *args: bytes, txid: str = "tx") -> None:
        await self.say(M.TRANSACTION, ChaincodeInput(args=args).SerializeToString(), txid)

    async def answer(self, *args: bytes, txid: str) -> ChaincodeMessage:
        await self.call(*args, txid=txid)
        return await self.hear()


@asynccontextmanager
async def dialled(
    address: str, credentials: grpc.ChannelCredentials | None = None
) -> AsyncIterator[Stream]:
    channel = (
        grpc.aio.insecure_channel(address, options=LARGE)
        if credentials is None
        else grpc.aio.secure_channel(address, credentials, options=LARGE)
    )
    async with channel:
        yield Stream(channel)


def package(number: int = 1, tls: Tls | None = None) -> Package:
    return Package(f"demo:{number}", "127.0.0.1:0", [Demo()], tls)


@pytest.mark.complete("shim-ChaincodeServer-Start", "shim-ChaincodeServer-CCID")
async def test_each_package_has_its_port_and_names_itself() -> None:
    async with Server([package(1), package(2)]) as server:
        names = []
        for address in server.addresses:
            async with dialled(address) as stream:
                names.append(await stream.shake_hands())
    assert names == ["demo:1", "demo:2"]


@pytest.mark.complete("shim-ChaincodeServer-Start")
async def test_messages_beyond_grpcs_4_mb_pass_both_ways() -> None:
    value = bytes(20 * 1024 * 1024)
    async with Server([package()]) as server, dialled(server.addresses[0]) as stream:
        await stream.shake_hands()
        await stream.call(b"Put", value)
        put = await stream.hear()
        assert PutState.FromString(put.payload).value == value
        await stream.say(M.RESPONSE, txid="tx")
        assert Response.FromString((await stream.hear()).payload).payload == b"done"


async def test_one_writer_serves_many_transactions_at_once() -> None:
    async with Server([package()]) as server, dialled(server.addresses[0]) as stream:
        await stream.shake_hands()
        for number in range(500):
            await stream.call(b"Echo", str(number).encode(), txid=str(number))
        answers = [await stream.hear() for _ in range(500)]
    assert {answer.txid for answer in answers} == {str(number) for number in range(500)}
    assert all(
        Response.FromString(answer.payload).payload == answer.txid.encode() for answer in answers
    )


async def test_several_peers_may_dial_one_server() -> None:
    async with Server([package()]) as server:
        address = server.addresses[0]
        async with dialled(address) as first, dialled(address) as second:
            await first.shake_hands()
            await second.shake_hands()
            await first.call(b"Echo", b"1", txid="same")
            await second.call(b"Echo", b"2", txid="same")
            answers = [await first.hear(), await second.hear()]
    assert [Response.FromString(answer.payload).payload for answer in answers] == [b"1", b"2"]


async def test_a_peer_that_breaks_the_protocol_loses_its_stream_and_no_other() -> None:
    async with Server([package()]) as server:
        async with dialled(server.addresses[0]) as rude:
            assert (await rude.hear()).type == M.REGISTER
            await rude.say(M.READY)
            assert await rude.ended()
        async with dialled(server.addresses[0]) as polite:
            assert await polite.shake_hands() == "demo:1"


def _frame(kind: int, flags: int, payload: bytes = b"") -> bytes:
    """An HTTP/2 frame of the connection (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + bytes(4) + payload


@pytest.mark.complete("shim-ChaincodeServer-KaOpts")
async def test_pings_on_an_idle_connection_are_answered_without_hanging_up() -> None:
    settings, ping, goaway, pings = 4, 6, 7, 30
    async with Server([package()]) as server:
        host, _, port = server.addresses[0].partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(settings, 0))
        for number in range(pings):
            writer.write(_frame(ping, 0, struct.pack(">Q", number)))
        acknowledged = 0
        async with asyncio.timeout(20):
            while acknowledged < pings:
                header = await reader.readexactly(9)
                kind, flags = header[3], header[4]
                await reader.readexactly(int.from_bytes(header[:3]))
                assert kind != goaway, "too many pings, says the server"
                acknowledged += kind == ping and flags == 1
        writer.close()
        await writer.wait_closed()


async def test_a_port_in_use_is_an_error_and_no_port_stays_open() -> None:
    async with Server([package()]) as server:
        taken = Package("demo:2", server.addresses[0], [Demo()])
        with pytest.raises(OSError, match="cannot listen"):
            async with Server([package(3), taken]):
                pass


async def test_a_stopping_server_lets_running_transactions_finish() -> None:
    server = Server([package()])
    async with server, dialled(server.addresses[0]) as stream:
        await stream.shake_hands()
        await stream.call(b"Put", b"1")
        assert (await stream.hear()).type == M.PUT_STATE
        stopping = asyncio.create_task(server.stop())
        async with asyncio.timeout(20):  # a call may still overtake the stop
            while (late := await stream.answer(b"Echo", b"2", txid="late")).type != M.ERROR:
                assert late.type == M.COMPLETED
        assert late.txid == "late"
        await stream.say(M.RESPONSE, txid="tx")
        answer = await stream.hear()
        assert Response.FromString(answer.payload).payload == b"done"
        assert await stream.ended()
        await asyncio.wait_for(stopping, 20)


async def test_serve_tells_its_addresses_and_ends_on_sigterm() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(
        serve([package(1), package(2)], lambda which, address: heard.put_nowait(which.ccid))
    )
    async with asyncio.timeout(20):
        assert [await heard.get(), await heard.get()] == ["demo:1", "demo:2"]
        os.kill(os.getpid(), signal.SIGTERM)
        await task


async def test_a_served_process_looks_for_cycles_rarely_and_as_before_once_it_ended() -> None:
    usual, heard = gc.get_threshold(), asyncio.Queue[tuple[int, ...]]()
    serving = serve([package(1)], lambda *_: heard.put_nowait(gc.get_threshold()))
    task = asyncio.create_task(serving)
    async with asyncio.timeout(20):
        assert (await heard.get())[0] == COLLECTED_OBJECTS
        os.kill(os.getpid(), signal.SIGTERM)
        await task
    assert gc.get_threshold() == usual


PROCESS = """
import asyncio, sys
sys.modules |= {name: None for name in sys.argv[1:]}
from pedchain_fabric.shim import Contract, Package, run, submit

class Demo(Contract):
    name = "demo"

    @submit
    async def loop(self, ctx) -> str:
        return type(asyncio.get_running_loop()).__module__

def listening(_, address):
    print(address, flush=True)

run([Package("demo:1", "127.0.0.1:0", [Demo()])], listening)
"""


@pytest.mark.parametrize(
    ("missing", "loop"), [((), b"uvloop"), (("uvloop",), b"asyncio.unix_events")]
)
async def test_a_process_runs_on_uvloop_where_it_is_installed_and_ends_on_sigterm(
    missing: Sequence[str], loop: bytes, tmp_path: Path
) -> None:
    (tmp_path / "server.py").write_text(PROCESS)
    command = (sys.executable, str(tmp_path / "server.py"), *missing)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        address = (await process.stdout.readline()).decode().strip()
        async with dialled(address) as stream:
            assert await stream.shake_hands() == "demo:1"
            answer = await stream.answer(b"Loop", txid="a")
            response = Response.FromString(answer.payload)
            assert (response.payload, response.message) == (loop, "")
        process.terminate()
        assert await process.wait() == 0


async def test_a_contract_without_a_file_cannot_be_served_by_a_process() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert b"ValueError: __main__ has no source file" in said


class Authority:
    """A CA for TLS certificates."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key, [])

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """Certificate and key in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self._sign(subject, key, [x509.IPAddress(ip_address("127.0.0.1"))]), pem

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, names: Sequence[x509.IPAddress]
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.mark.complete("shim-ChaincodeServer-TLSProps")
async def test_with_tls_only_peers_with_a_certificate_of_the_client_ca_are_served() -> None:
    servers, peers = Authority("server ca"), Authority("peer ca")
    certificate, key = servers.issue("chaincode")
    tls = Tls(certificate, key, peers.certificate)
    peer_certificate, peer_key = peers.issue("peer0")
    known = grpc.ssl_channel_credentials(servers.certificate, peer_key, peer_certificate)
    stranger = grpc.ssl_channel_credentials(servers.certificate)
    async with Server([package(tls=tls)]) as server:
        async with dialled(server.addresses[0], known) as stream:
            assert await stream.shake_hands() == "demo:1"
        async with dialled(server.addresses[0], stranger) as stream:
            with pytest.raises(grpc.aio.AioRpcError):
                await stream.hear()


@pytest.mark.complete("shim-ChaincodeServer-TLSProps")
async def test_tls_without_a_client_ca_serves_every_peer() -> None:
    authority = Authority("server ca")
    async with Server([package(tls=Tls(*authority.issue("chaincode")))]) as server:
        credentials = grpc.ssl_channel_credentials(authority.certificate)
        async with dialled(server.addresses[0], credentials) as stream:
            assert await stream.shake_hands() == "demo:1"
