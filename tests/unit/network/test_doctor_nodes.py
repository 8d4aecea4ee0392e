# SPDX-License-Identifier: Apache-2.0
"""Goal: doctor knows a node that is not what it should be. Method: facts by hand, and TLS servers
of our own with good and bad certificates."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pedchain_fabric.admin.authority import Authority, Credential
from pedchain_network.watch import health
from pedchain_network.watch.doctor import channelfacts, endpoints, probing, software
from pedchain_network.watch.doctor.endpoints import Endpoint, Greeting
from pedchain_network.watch.doctor.finding import Finding, Severity
from pedchain_network.watch.doctor.probing import Outcome
from pedchain_network.watch.health import NodeHealth, PartHealth

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
NAME = "peer0.dso.ped"


def severities(findings: Iterable[Finding]) -> list[str]:
    found = list(findings)
    for each in found:
        assert each.severity is Severity.OK or each.remedy, f"{each} has no remedy"
    return [each.severity.value for each in found]


# --- nodes ---

PART = PartHealth(NAME, "peer", "DSO", 7, True, {NAME: True}, "/log")
NODE = NodeHealth(NAME, "peer", "DSO", health.UP, NAME)


@pytest.mark.parametrize("state", [health.SILENT, health.ENDED, health.ABSENT, health.BEHIND])
def test_a_node_that_is_not_up_is_named_with_its_state(state: str) -> None:
    node = NodeHealth(NAME, "peer", "DSO", state, NAME)
    [found] = software.judge_nodes([PART], [node])
    assert (found.severity, found.subject, found.what) == (Severity.FAIL, NAME, state)
    assert found.remedy


def test_a_process_that_ended_is_one_finding_though_it_is_a_node_too() -> None:
    part = PartHealth(NAME, "peer", "DSO", 7, False, {NAME: False}, "/log")
    [found] = software.judge_nodes([part], [NodeHealth(NAME, "peer", "DSO", health.ENDED, NAME)])
    assert found.what == "ended"


def test_nodes_that_are_up_are_counted() -> None:
    assert severities(software.judge_nodes([PART], [NODE])) == ["ok"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.1.5", "ok"), ("3.1.5-embedded", "ok"), ("3.1.4", "warn"), ("", "warn")],
)
def test_every_node_is_of_the_topologys_release(version: str, expected: str) -> None:
    assert severities(software.judge_versions({NAME: version}, "3.1.5")) == [expected]


def test_a_peer_on_couchdb_is_named() -> None:
    assert severities(software.judge_databases({NAME: False})) == ["ok"]
    [found] = software.judge_databases({NAME: True, "other": False})
    assert (found.severity, found.subject) == (Severity.FAIL, NAME)


# --- the probe ---


def test_transactions_that_were_committed_are_well() -> None:
    assert severities(probing.judge([Outcome("registry", NAME, 0.2)])) == ["ok"]


def test_a_transaction_that_was_not_is_told_with_its_reason() -> None:
    outcomes = [Outcome("registry", NAME, 0.2), Outcome("metering", NAME, 15, "no leader")]
    [found] = probing.judge(outcomes)
    assert (found.severity, found.subject) == (Severity.FAIL, "metering")
    assert found.what == f"through {NAME}: no leader"


def test_organisations_that_disagree_are_sent_to_their_code() -> None:
    [found] = probing.judge([Outcome("registry", NAME, 1, "mismatch", differs=True)])
    assert "`code`" in found.remedy


def test_no_peer_to_ask_is_no_good_news() -> None:
    assert severities(probing.judge([])) == ["warn"]


# --- consenters ---


@pytest.mark.parametrize(
    ("listed", "used", "expected"),
    [
        ({"o": {"identity": "1"}}, {"o": {"identity": "1"}}, ["ok"]),
        ({"o": {"identity": "1"}}, {"o": {"identity": "2"}}, ["fail"]),
        ({"o": {"server TLS": "1"}}, {"o": {"identity": "2", "server TLS": "1"}}, ["ok"]),
        ({"o": {"identity": "1"}}, {"o": {}}, ["ok"]),
        ({}, {"o": {"identity": "1"}}, ["warn"]),
        ({"o": {}, "10.0.0.9:7050": {}}, {"o": {}}, ["warn"]),
    ],
    ids=["same", "other identity", "raft knows no identity", "files elsewhere", "new", "unknown"],
)
def test_orderers_use_the_certificates_that_the_channel_lists(
    listed: dict[str, dict[str, str]], used: dict[str, dict[str, str]], expected: list[str]
) -> None:
    assert severities(channelfacts.judge(listed, used)) == expected


# --- endpoints ---


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (Greeting(NAME, "", b"a", b"a"), ["ok"]),
        (Greeting(NAME, "", b"a", b"b"), ["warn"]),
        (Greeting(NAME, "", b"a", b""), ["ok"]),
        (Greeting(NAME, "refused"), ["fail"]),
        (Greeting(NAME, "", b"a", b"a", open_to_all=True), ["fail"]),
    ],
    ids=["well", "renewed on disk", "files elsewhere", "problem", "lets anybody in"],
)
def test_endpoints_show_their_own_newest_certificate(
    greeting: Greeting, expected: list[str]
) -> None:
    assert severities(endpoints.judge([greeting])) == expected


def credential(path: Path, made: Credential) -> Path:
    path.mkdir()
    (path / "cert.pem").write_bytes(made.certificate)
    (path / "key.pem").write_bytes(made.key)
    return path


class World:
    """A TLS authority and certificates of a server and a client, as files."""

    def __init__(self, root: Path, host: str = NAME, began_days: int = 0) -> None:
        began = NOW - datetime.timedelta(days=began_days)
        authority = Authority.create("tlsca.dso.ped", "DSO", began, days=4_000)
        self.authorities = authority.credential.certificate
        self.server = credential(root / "server", authority.tls(host, "DSO", [host], days=30))
        client = Authority(authority.credential, NOW).tls("client", "DSO", ["client"], days=30)
        self.client = credential(root / "client", client)

    @asynccontextmanager
    async def serving(self, *, demands: bool = False) -> AsyncIterator[str]:
        """Answers whatever is said; `demands` a certificate of the client."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server / "cert.pem", self.server / "key.pem")
        if demands:
            context.load_verify_locations(cadata=self.authorities.decode())
            context.verify_mode = ssl.CERT_REQUIRED

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.read(1):
                writer.write(b"hello")
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def endpoint(self, address: str, client: Path | None = None) -> Endpoint:
        own = self.server / "cert.pem"
        return Endpoint(NAME, address, NAME, self.authorities, own, client, is_http=True)


async def test_a_good_certificate_is_taken(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.serving() as address:
        found = await endpoints.greet(world.endpoint(address))
    assert found.problem == ""
    assert found.shown == found.on_disk != b""


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, host="peer0.districta.ped")
    async with world.serving() as address:
        found = await endpoints.greet(world.endpoint(address))
    assert "its certificate is refused: Hostname mismatch" in found.problem


async def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, began_days=60)
    async with world.serving() as address:
        found = await endpoints.greet(world.endpoint(address))
    assert found.problem == "its certificate is refused: certificate has expired"


async def test_who_demands_a_certificate_takes_ours_and_nobody_without(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.serving(demands=True) as address:
        found = await endpoints.greet(world.endpoint(address, world.client))
    assert (found.problem, found.open_to_all) == ("", False)


async def test_who_should_demand_one_and_does_not_is_found(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.serving() as address:
        found = await endpoints.greet(world.endpoint(address, world.client))
    assert found.open_to_all


async def test_nobody_there_is_a_problem(tmp_path: Path) -> None:
    found = await endpoints.greet(World(tmp_path).endpoint("127.0.0.1:1"))
    assert found.problem
