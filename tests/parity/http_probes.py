# SPDX-License-Identifier: Apache-2.0
"""What the participation and operations interfaces answer; health checks over gRPC."""

import asyncio
import http.client
import json
import ssl
from typing import Any

from tests.parity.target import CHANNEL, Fact, Target, names, plain, refusal

BASE = "/participation/v1/channels"
_ADMIN_OFFSET, _ORDERER_OPERATIONS, _PEER_OPERATIONS = 3, 6, 5
"""`ped-network` gives an organisation's listeners these places after its first port."""


def _port(target: Target, offset: int) -> int:
    documents = target.documents["DSO"]
    own = next(each for each in documents["orderers"] if each["msp_id"] == "DSOMSP")
    return int(own["address"].rpartition(":")[2]) + offset


def _context(target: Target) -> ssl.SSLContext:
    crypto = target.profiles.parent / "crypto" / "DSO"
    context = ssl.create_default_context(cafile=crypto / "tlsca" / "cert.pem")
    tls = crypto / "users" / "admin" / "tls"
    context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
    return context


async def admin(target: Target, method: str, path: str, **named: Any) -> Fact:
    """The participation API: status, allowed methods, body."""
    return await asyncio.to_thread(_admin, target, method, path, **named)


def _admin(
    target: Target, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Fact:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", _port(target, _ADMIN_OFFSET), context=_context(target), timeout=10
    )
    connection.request(method, path, body or None, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    fact: dict[str, Any] = {"status": answer.status, "allow": answer.getheader("Allow")}
    if answer.getheader("Content-Type") == "application/json":
        # Fabric answers some mistakes twice in one body; the first answer counts.
        fact["json"] = json.JSONDecoder().raw_decode(plain(content.decode()))[0]
    return fact


def _form(name: str, content: bytes, file: str = 'filename="b"') -> dict[str, Any]:
    body = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"; {file}\r\n\r\n'.encode()
        + content
        + b"\r\n--x--\r\n"
    )
    return {"body": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


async def _list(target: Target) -> Fact:
    return await admin(target, "GET", BASE)


async def _one(target: Target) -> Fact:
    fact = await admin(target, "GET", f"{BASE}/{CHANNEL}")
    fact["json"]["height"] = fact["json"]["height"] > 1
    return fact


async def _unknown(target: Target) -> Fact:
    return [
        await admin(target, "GET", f"{BASE}/nope"),
        await admin(target, "DELETE", f"{BASE}/nope"),
        await admin(target, "GET", f"{BASE}/NOPE"),
        await admin(target, "GET", f"{BASE}/nope/blocks/newest"),
    ]


async def _methods(target: Target) -> Fact:
    return [
        await admin(target, "PATCH", BASE),
        await admin(target, "POST", f"{BASE}/{CHANNEL}"),
        await admin(target, "POST", f"{BASE}/{CHANNEL}/blocks/newest"),
    ]


async def _accept(target: Target) -> Fact:
    return await admin(target, "GET", BASE, headers={"Accept": "text/html"})


async def _join_again(target: Target) -> Fact:
    block = target.file(target.documents["DSO"]["genesis"])
    return await admin(target, "POST", BASE, **_form("config-block", block))


async def _join_badly(target: Target) -> Fact:
    garbage = await admin(target, "POST", BASE, **_form("config-block", b"\xff"))
    return [
        await admin(target, "POST", BASE, body=b"x", headers={"Content-Type": "text/plain"}),
        await admin(target, "POST", BASE, **_form("other", b"x")),
        [garbage["status"], garbage["json"]["error"].partition(": proto")[0]],
    ]


async def _blocks(target: Target) -> Fact:
    newest = await admin(target, "GET", f"{BASE}/{CHANNEL}/blocks/newest")
    config = await admin(target, "GET", f"{BASE}/{CHANNEL}/blocks/config")
    bad = await admin(target, "GET", f"{BASE}/{CHANNEL}/blocks/last")
    beyond = await admin(target, "GET", f"{BASE}/{CHANNEL}/blocks/99999")
    return newest["status"], config["status"], bad, beyond["status"]


async def operations(
    target: Target, offset: int, method: str, path: str, body: bytes = b""
) -> tuple[int, bytes]:
    """An operations interface's answer."""

    def call() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", _port(target, offset), timeout=10)
        connection.request(method, path, body or None)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    return await asyncio.to_thread(call)


async def _health(target: Target) -> Fact:
    found = []
    for offset in (_PEER_OPERATIONS, _ORDERER_OPERATIONS):
        status, body = await operations(target, offset, "GET", "/healthz")
        found.append([status, json.loads(body)["status"]])
        found.append([(await operations(target, offset, "POST", "/healthz"))[0]])
    return found


async def _version(target: Target) -> Fact:
    status, body = await operations(target, _PEER_OPERATIONS, "GET", "/version")
    posted, answer = await operations(target, _PEER_OPERATIONS, "POST", "/version")
    return status, sorted(json.loads(body)), posted, json.loads(answer)


async def _log_specification(target: Target) -> Fact:
    path = "/logspec"
    _, before = await operations(target, _PEER_OPERATIONS, "GET", path)
    wanted = b'{"spec":"gateway=debug:warn"}'
    put, _ = await operations(target, _PEER_OPERATIONS, "PUT", path, wanted)
    _, after = await operations(target, _PEER_OPERATIONS, "GET", path)
    refused, _ = await operations(target, _PEER_OPERATIONS, "PUT", path, b'{"spec":"loud"}')
    posted, answer = await operations(target, _PEER_OPERATIONS, "POST", path)
    await operations(target, _PEER_OPERATIONS, "PUT", path, before)
    return put, json.loads(after), refused, posted, json.loads(answer)


async def _metrics(target: Target) -> Fact:
    """Names every dashboard starts from."""
    _, body = await operations(target, _PEER_OPERATIONS, "GET", "/metrics")
    wanted = ["ledger_blockchain_height", "endorser_proposals_received",
              "endorser_successful_proposals"]  # fmt: skip
    return [name for name in wanted if f"\n{name}".encode() in b"\n" + body]


async def _health_over_grpc(target: Target) -> Fact:
    found = []
    for channel in (target.peer("DSO"), target.orderer("DSO")):
        check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        found.append([await refusal(check(b"")), await refusal(check(b"\x0a\x04nope"))])
    return found


PROBES = names(
    [
        _list, _one, _unknown, _methods, _accept, _join_again, _join_badly, _blocks, _health,
        _version, _log_specification, _metrics, _health_over_grpc,
    ]
)  # fmt: skip
