# SPDX-License-Identifier: Apache-2.0
"""Looking at a network by `ped-network status, doctor, logs, monitor`: whole, and hurt in each way
that can be arranged on one host. What a test breaks in the shared network it mends."""

import asyncio
import shutil
import socket
import subprocess
from pathlib import Path

import psutil
import pytest
import yaml

from pedchain_fabric.client import profile
from pedchain_network.watch.exposition import Exposition
from pedchain_network.watch.monitor import exporter
from tests import ports, promql
from tests.scenarios.growing import topology
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.looking import (
    doctor,
    killed,
    named,
    part,
    reissued,
    replaced,
    scraped,
    served,
    wait_until,
)

NODES = {
    f"{kind}0.{organization}.ped"
    for kind in ("peer", "orderer")
    for organization in ("dso", "districta", "districtb", "aggregator")
}


# --- a network that is well ---


def test_status_tells_height_leader_and_contracts_of_every_node(notes_network: Network) -> None:
    found = notes_network.status()
    assert found["state"] == "up"
    assert {node["name"] for node in found["nodes"]} == NODES
    assert {node["lag"] for node in found["nodes"]} == {0}
    assert all(node["height"] == found["height"] for node in found["nodes"])
    assert all(node["version"].startswith("3.1.5") for node in found["nodes"])
    assert [node["kind"] for node in found["nodes"] if node["leads"]] == ["orderer"]
    assert found["ordering"]["leader"] in NODES
    for node in found["nodes"]:
        answers = node["chaincode"]
        assert (set(answers.values()) == {""}) if node["kind"] == "peer" else answers is None
    assert all(each["memory_bytes"] > 1_000_000 for each in found["parts"])


def test_status_is_a_plain_table_when_piped(notes_network: Network) -> None:
    done = notes_network.run("status")
    lines = done.stdout.splitlines()
    assert done.stdout.isascii()
    assert lines[0].startswith(f"network up: runtime {notes_network.runtime}, channel ped, height")
    assert lines[2].split() == [
        "state",
        "name",
        "height",
        "lag",
        "serves",
        "version",
        "memory",
        "pid",
    ]
    column = lines[2].index("serves")
    assert all(line[column - 1] == " " for line in lines[3:])


def test_doctor_finds_nothing_wrong_with_a_network_that_works(notes_network: Network) -> None:
    assert doctor(notes_network) == []
    told = notes_network.run("doctor").stdout
    assert told.splitlines()[-1] == "17 checks: all is well"


def test_doctor_looks_at_private_data_on_every_member(notes_network: Network) -> None:
    """What members hold fits the hashes on chain, after a write of one to a shared collection."""

    async def keep() -> None:
        async with await profile.connect(notes_network.profile("DSO")) as gateway:
            contract = gateway.network("ped").contract("metering-DistrictA")
            for number in range(3):
                text = {"text": f"secret {number}".encode()}
                await contract.submit("PutPrivate", "readings", f"k{number}", transient=text)

    asyncio.run(keep())
    assert [each for each in doctor(notes_network) if each["check"] == "private data"] == []


def test_logs_of_all_parts_are_led_by_their_names(notes_network: Network) -> None:
    names = {each["name"] for each in notes_network.status()["parts"]}
    told = notes_network.run("logs", "--lines", "50").stdout.splitlines()
    assert told
    assert {line.partition(" | ")[0].strip() for line in told} <= names
    chosen = part(notes_network, "chaincode")["name"]
    own = notes_network.run("logs", chosen).stdout.splitlines()
    assert all(line.startswith(chosen) for line in own)


def test_logs_of_nobody_tell_who_there_is(notes_network: Network) -> None:
    done = notes_network.run("logs", "nobody", check=False)
    assert done.returncode == 1
    assert "no part 'nobody'" in done.stderr
    assert part(notes_network, "chaincode")["name"] in done.stderr


# --- what Prometheus gets ---


def test_the_monitor_watches_every_node(notes_network: Network) -> None:
    notes_network.run("monitor")
    folder = notes_network.state / "monitor"
    document = yaml.safe_load((folder / "prometheus.yml").read_text())
    shape = topology(notes_network)
    targets = {
        target: each["labels"]
        for job in document["scrape_configs"]
        for each in job["static_configs"]
        for target in each["targets"]
    }
    for node in (*shape.peers(), *shape.orderers()):
        assert targets[shape.address(node, "operations")]["node"] == node.name
    promtool = shutil.which("promtool")
    if promtool is not None:
        subprocess.run([promtool, "check", "config", str(folder / "prometheus.yml")], check=True)


def test_what_no_node_measures_is_written_for_node_exporter(
    notes_network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "pedchain.prom"
    notes_network.run("monitor", "--textfile", str(path))
    read = Exposition.parse(path.read_text())
    assert read.names == exporter.NAMES
    assert read.value("pedchain_certificate_end_seconds", place="DSO/users/admin/cert.pem")
    assert {each.value for each in read.all("pedchain_part_up")} == {1}


@pytest.mark.native
@pytest.mark.parametrize("notes_network", ["native"], indirect=True)
def test_real_fabric_serves_every_metric_that_an_alert_reads(notes_network: Network) -> None:
    """A rule over a name that nobody serves would never fire and never say so."""
    notes_network.run("monitor")
    rules = yaml.safe_load((notes_network.state / "monitor" / "rules.yml").read_text())
    wanted = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in promql.metrics(rule["expr"])
    }
    assert wanted - served(notes_network) - exporter.NAMES == {"up"}


@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
def test_prometheus_scrapes_all_that_there_is(notes_network: Network, tmp_path: Path) -> None:
    shape = topology(notes_network)
    wanted = {shape.address(node, "operations") for node in (*shape.peers(), *shape.orderers())}
    with ports.free() as base:
        exporter_, own = (f"127.0.0.1:{base + offset}" for offset in (0, 1))
        notes_network.run("monitor", "--address", exporter_)
        serving = notes_network.start("monitor", "--serve", "--address", exporter_)
        config = notes_network.state / "monitor" / "prometheus.yml"
        scraping = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--web.listen-address={own}",
                f"--storage.tsdb.path={tmp_path}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert scraped(own, len(wanted) + 1) == wanted | {exporter_}
        finally:
            for each in (scraping, serving):
                each.terminate()
                each.communicate(timeout=20)


# --- what is wrong on disk ---


def test_a_key_that_others_can_read_is_found(notes_network: Network) -> None:
    key = notes_network.state / "crypto/DSO/users/gateway/key.pem"
    key.chmod(0o644)
    try:
        found = named(notes_network, "keys")
    finally:
        key.chmod(0o600)
    assert (found["severity"], found["subject"]) == ("fail", str(key))
    assert found["remedy"] == f"chmod 600 {key}"


def test_an_admins_key_with_a_node_is_found(notes_network: Network) -> None:
    folder = notes_network.state / "crypto/DSO"
    stray = folder / "peer0/msp/keystore/other.pem"
    stray.touch(mode=0o600)
    stray.write_bytes((folder / "users/admin/key.pem").read_bytes())
    try:
        found = named(notes_network, "keys")
    finally:
        stray.unlink()
    assert found["subject"] == str(stray)
    assert "DSO/users/admin" in found["what"]


@pytest.mark.parametrize(
    ("days", "severity", "words"),
    [(-1, "fail", "ended"), (5, "fail", "ends"), (20, "warn", "ends")],
)
def test_a_certificate_that_ends_is_found(
    notes_network: Network, days: int, severity: str, words: str
) -> None:
    path = notes_network.state / "crypto/DSO/users/auditor/cert.pem"
    with replaced(path, reissued(notes_network, "users/auditor", days)):
        found = named(notes_network, "certificates")
    assert (found["severity"], found["subject"]) == (severity, "DSO/users/auditor/cert.pem")
    assert words in found["what"]
    assert "cert renew" in found["remedy"]


def test_a_certificate_renewed_but_not_in_use_is_found(notes_network: Network) -> None:
    path = notes_network.state / "crypto/DSO/peer0/tls/cert.pem"
    with replaced(path, reissued(notes_network, "peer0/tls", 365)):
        found = named(notes_network, "endpoints")
    assert (found["severity"], found["subject"]) == ("warn", "peer0.dso.ped")
    assert "older certificate" in found["what"]


def test_an_orderers_certificate_that_the_channel_does_not_list_is_found(
    notes_network: Network,
) -> None:
    path = notes_network.state / "crypto/DSO/orderer0/msp/signcerts/cert.pem"
    with replaced(path, reissued(notes_network, "orderer0/msp", 365)):
        found = named(notes_network, "consenters")
    assert (found["severity"], found["subject"]) == ("fail", "orderer0.dso.ped")
    assert "identity certificate" in found["what"]


@pytest.mark.parametrize("notes_network", ["embedded"], indirect=True)
def test_a_listener_beyond_loopback_at_a_port_of_ours_is_found(notes_network: Network) -> None:
    """One of our own that nobody holds: embedded peers wait for no chaincode to dial them."""
    port = topology(notes_network).by_name("DSO").ports.peer_chaincode(0)
    with socket.socket() as stranger:
        stranger.bind(("0.0.0.0", port))
        stranger.listen()
        found = named(notes_network, "listeners")
    assert found["severity"] == "fail"
    assert f"listens on 0.0.0.0:{port}" in found["what"]


# --- what is wrong with what runs ---


@pytest.mark.serial
def test_a_dead_chaincode_server_is_told_by_all_who_miss_it(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    victim = part(network, "chaincode")
    killed(victim["pid"])

    seen = network.status()
    assert seen["state"] == "degraded"
    missing = [node["name"] for node in seen["nodes"] if any((node["chaincode"] or {}).values())]
    if network.runtime == "native":
        assert missing == ["peer0.dso.ped"]
    else:
        assert len(missing) == 4

    found = doctor(network)
    assert {"nodes", "code", "probe"} <= {each["check"] for each in found}
    assert victim["name"] in {each["subject"] for each in found if each["check"] == "nodes"}

    network.run("up")
    assert doctor(network) == []


@pytest.mark.serial
@pytest.mark.native
@pytest.mark.parametrize("fresh_network", ["native"], indirect=True)
def test_a_lost_leader_is_replaced_and_told(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    leader = network.status()["ordering"]["leader"]
    killed(next(e["pid"] for e in network.status()["parts"] if e["name"] == leader))

    wait_until(lambda: network.status()["ordering"]["leader"] not in {"", leader})
    seen = network.status()
    assert (seen["ordering"]["live"], seen["ordering"]["view"]) == (3, 1)
    assert seen["state"] == "degraded"

    found = doctor(network)
    assert "0 more may fail" in next(e["what"] for e in found if e["check"] == "ordering")
    assert {e["check"] for e in found} == {"nodes", "ordering", "clocks"}
    network.run("up")
    assert doctor(network) == []


@pytest.mark.serial
@pytest.mark.native
@pytest.mark.parametrize("fresh_network", ["native"], indirect=True)
def test_a_node_that_hangs_is_silent_and_delays_nobody(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    victim = part(network, "peer")
    psutil.Process(victim["pid"]).suspend()
    try:
        seen = network.status()
        found = doctor(network)
    finally:
        psutil.Process(victim["pid"]).resume()
    states = {node["name"]: node["state"] for node in seen["nodes"]}
    assert states.pop(victim["name"]) == "silent"
    assert set(states.values()) == {"up"}
    assert victim["name"] in {each["subject"] for each in found if each["check"] == "nodes"}


def test_a_network_that_is_down_is_told_without_delay(tmp_path: Path) -> None:
    with make_network("embedded", tmp_path, NOTES) as network:
        assert network.run("status", check=False).returncode == 3
        [found] = doctor(network)
        assert (found["check"], found["remedy"]) == ("nodes", "ped-network up")


@pytest.mark.serial
@pytest.mark.native
def test_the_organisation_that_runs_other_code_is_named(tmp_path: Path) -> None:
    """Only on real Fabric has each organisation a chaincode process of its own."""
    served_ = tmp_path / "served.py"
    shutil.copy(NOTES[1], served_)
    with make_network("native", tmp_path, ("python", str(served_), "serve")) as network:
        network.run("up")
        victim = next(
            each
            for each in network.status()["parts"]
            if each["kind"] == "chaincode" and each["organization"] == "DistrictB"
        )
        killed(victim["pid"])
        served_.write_text(served_.read_text() + "\n# another build\n")
        assert network.run("up", check=False).returncode == 1
        found = [each for each in doctor(network) if each["check"] == "code"]
    assert {each["subject"] for each in found} == {"peer0.districtb.ped"}
    assert all("code digest" in each["what"] for each in found)
