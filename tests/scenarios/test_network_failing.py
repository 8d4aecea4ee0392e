# SPDX-License-Identifier: Apache-2.0
"""An `up` that cannot succeed says once what is wrong and what to do; the next one finishes."""

import datetime
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from pedchain_network.topology.reader import reference
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

pytestmark = pytest.mark.serial

#: Larger than any file `up` writes by itself, smaller than the ledgers that nodes then write.
_FILE_BYTES = 60_000
#: Runs the command behind it within that. By `preexec_fn` this process would fork, and gRPC's
#: threads, started anew in the child, now and then end it before the command (grpc issue 43055).
_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A network that is up; who takes something from it gives it back."""
    with make_network("embedded", tmp_path_factory.mktemp("standing"), NOTES) as made:
        made.run("up")
        yield made


def refusal(
    network: Network, *options: str, environment: dict[str, str] | None = None, verb: str = "up"
) -> str:
    """What a command that must fail says: one message with its remedy, nothing of our insides."""
    done = network.run(verb, *options, check=False, environment=environment)
    return told(done)


def told(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.stdout, done.stderr)
    ours = re.sub(r"(?m)^  \S+\| .*\n", "", done.stderr)  # without the last words of a node
    assert "Traceback" not in done.stdout + ours
    assert ours.startswith("ped-network: ")
    assert ours.count("\n  fix: ") == 1, done.stderr
    return done.stderr


def comes_up(network: Network) -> None:
    network.run("up")
    assert network.status()["state"] == "up"


def records(network: Network) -> list[dict[str, object]]:
    """The processes on record."""
    record = network.state / "run.json"
    found: list[dict[str, object]] = (
        json.loads(record.read_text())["processes"] if record.exists() else []
    )
    return found


def below(directory: Path) -> list[int]:
    """Every process that runs in the directory, on record or not."""
    return [
        each.pid
        for each in psutil.process_iter(["cwd"])
        if each.info["cwd"] and Path(each.info["cwd"]).is_relative_to(directory)
    ]


@pytest.mark.parametrize("fresh_network", ["embedded"], indirect=True)
def test_a_busy_port_is_named_with_its_owner_and_nothing_is_started(
    fresh_network: Network,
) -> None:
    ports = re.findall(r"ports: (\d+)", fresh_network.topology.read_text())
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(ports[2]) + 1))
        squatter.listen()
        said = refusal(fresh_network)
    assert f"127.0.0.1:{int(ports[2]) + 1}, wanted for peer0.districtb.ped, is taken" in said
    assert f"(pid {os.getpid()})" in said
    assert records(fresh_network) == []
    comes_up(fresh_network)


def killed_after(network: Network, lines: int) -> list[str]:
    """An `up` that is killed when it has told so many lines; returns them."""
    seen: list[str] = []
    with network.start("up") as command:
        assert command.stdout is not None
        while len(seen) < lines and (line := command.stdout.readline()):
            seen.append(line)
        command.kill()
        seen += command.stdout
    return seen


@pytest.mark.timeout(300)
def test_an_up_killed_after_any_of_its_steps_is_finished_by_the_next(
    fresh_network: Network,
) -> None:
    """Each goes on where the one before was killed, until one is done before we kill it. Whatever
    runs is on record meanwhile, so that nothing is left at the end."""
    step = 1
    while "profiles in" not in killed_after(fresh_network, step)[-1]:
        on_record = {each["pid"] for each in records(fresh_network)}
        assert set(below(fresh_network.state)) <= on_record
        step += 1
    assert step > 3, "it told fewer steps than there are"
    comes_up(fresh_network)
    fresh_network.run("clean", "--yes")
    assert below(fresh_network.state) == []


def listening(pid: int, seconds: float = 20) -> None:
    """Wait until a process takes connections."""
    end, process = time.monotonic() + seconds, psutil.Process(pid)
    while not any(one.status == psutil.CONN_LISTEN for one in process.net_connections()):
        assert time.monotonic() < end, "it does not listen"
        time.sleep(0.01)


def test_a_node_that_dies_during_up_is_named_with_its_last_words(
    fresh_network: Network,
) -> None:
    with fresh_network.start("up") as command:
        assert command.stdout is not None
        for line in command.stdout:
            if "started" in line:
                break
        victim = records(fresh_network)[0]
        pid = int(str(victim["pid"]))
        listening(pid)  # killed while it makes its database, a Fabric node never starts again
        os.kill(pid, signal.SIGKILL)
        rest = command.stdout.read()
    assert command.returncode == 1
    assert f"ped-network: {victim['name']}: ended" in rest
    assert "Traceback" not in rest
    comes_up(fresh_network)


def test_a_disk_that_takes_no_more_is_told_and_freed_space_is_enough(
    fresh_network: Network,
) -> None:
    """A limit on files' sizes stands for the disk's end: both refuse a write half-way."""
    options = ("--state", str(fresh_network.state), "--runtime", fresh_network.runtime)
    topology = ("--topology", str(fresh_network.topology))
    limited = (sys.executable, "-c", _LIMITED, str(_FILE_BYTES))
    said = told(ped_network("up", *options, *topology, within=limited))
    assert "disk is full" in said
    assert "free some space" in said
    for pid in below(fresh_network.state):
        psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY,) * 2)
    comes_up(fresh_network)


def test_what_was_made_by_another_version_is_refused_and_can_be_removed(
    standing: Network,
) -> None:
    record = standing.state / "run.json"
    of_another = record.read_text().replace('"schema": "run/', '"schema": "run/9')
    for text, word in ((of_another, "another version"), ("{", "damaged")):
        record.write_text(text)
        assert word in refusal(standing)
    standing.run("clean", "--yes")
    assert below(standing.state) == []
    comes_up(standing)


def test_another_runtime_or_topology_in_the_state_is_refused(standing: Network) -> None:
    other = ped_network("up", "--runtime", "native", "--state", str(standing.state))
    assert "holds a network of runtime embedded" in told(other)
    text = standing.topology.read_text()
    standing.topology.write_text(text.replace("Aggregator", "Pool"))
    assert "ped-network org add Pool" in refusal(standing)
    standing.topology.write_text(text)
    comes_up(standing)


def test_a_key_that_others_may_read_is_refused(standing: Network) -> None:
    key = standing.state / "crypto" / "DSO" / "users" / "admin" / "key.pem"
    key.chmod(0o644)
    assert f"chmod 600 {key}" in refusal(standing)
    key.chmod(0o600)
    comes_up(standing)


def test_certificates_that_have_ended_are_named_and_renewed_by_one_command(
    standing: Network,
) -> None:
    """An orderer's are in the channel too; those of users and peers are only files."""
    standing.run("down")
    users = standing.state / "crypto" / "DistrictA" / "users"
    ended = users / "gateway" / "cert.pem"
    ended.write_bytes(as_of_yesterday(ended, users.parent / "ca" / "key.pem"))
    assert f"{ended} ended" in refusal(standing)
    said = standing.run("cert renew").stdout
    assert "renewed 1 certificates" in said
    comes_up(standing)


def as_of_yesterday(certificate: Path, authority: Path) -> bytes:
    """The same certificate, ended yesterday."""
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    old = x509.load_pem_x509_certificate(certificate.read_bytes())
    key = load_pem_private_key(authority.read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * day)
        .not_valid_after(now - day)
    )
    for each in old.extensions:
        builder = builder.add_extension(each.value, critical=each.critical)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("place", ["a file", "nowhere"])
def test_a_state_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()
    state = {"a file": tmp_path / "a file", "nowhere": Path("/proc/pedchain")}[place]
    assert str(state) in told(ped_network("up", "--runtime", "embedded", "--state", str(state)))


def test_a_binary_of_another_version_is_refused_before_anything_runs(tmp_path: Path) -> None:
    home = tmp_path / "fabric"
    for name in ("bin/peer", "bin/orderer", "builders/ccaas/bin/build"):
        program = home / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\necho ' Version: v2.5.9'\n")
        program.chmod(0o755)
    state = tmp_path / "state"
    options = ("--runtime", "native", "--state", str(state))
    said = told(ped_network("up", *options, FABRIC_HOME=str(home)))
    assert f"{home / 'bin' / 'peer'} is of Fabric 2.5.9, and this network speaks 3.1" in said
    assert "FABRIC_HOME" in said
    assert below(state) == []


def test_an_engine_that_does_not_run_is_told(tmp_path: Path) -> None:
    nobody = f"unix://{tmp_path / 'nobody.sock'}"
    options = ("--runtime", "docker", "--state", str(tmp_path / "state"))
    said = told(ped_network("up", *options, DOCKER_HOST=nobody))
    assert "docker" in said
    assert not (tmp_path / "state" / "crypto").exists()


def test_a_topology_with_too_few_orderers_for_its_faults_is_refused(tmp_path: Path) -> None:
    topology = tmp_path / "consortium.yaml"
    topology.write_text(reference().read_text().replace("faults: 1", "faults: 2"))
    options = ("--topology", str(topology), "--state", str(tmp_path / "state"))
    said = told(ped_network("up", "--runtime", "embedded", *options))
    assert "4 orderers tolerate 1 faults, not 2" in said
    assert not (tmp_path / "state").exists()


def ped_network(
    *arguments: str, within: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*within, sys.executable, "-m", "pedchain_network", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
