# SPDX-License-Identifier: Apache-2.0
"""`ped-chaincode serve`: what it takes, what it prints, how it ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from pedchain_chaincode import cli


@pytest.fixture
def served() -> Iterator["subprocess.Popen[str]"]:
    command = [
        sys.executable,
        "-c",
        "from pedchain_chaincode.cli import main; raise SystemExit(main())",
    ]
    packages = ["registry=127.0.0.1:0=registry:1", "metering=127.0.0.1:0=metering:1"]
    flags = [argument for package in packages for argument in ("--package", package)]
    process = subprocess.Popen(
        [*command, "serve", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CHAINCODE_TLS_DISABLED": "true"},
    )
    deadline = threading.Timer(60, process.kill)
    deadline.start()
    yield process
    deadline.cancel()
    process.kill()
    process.communicate()


def test_every_package_is_announced_and_sigterm_ends_it(served: "subprocess.Popen[str]") -> None:
    assert served.stdout is not None
    lines = [served.stdout.readline() for _ in range(2)]
    assert lines[0].startswith("serving registry on 127.0.0.1:")
    assert lines[1].startswith("serving metering on 127.0.0.1:")
    assert not any(line.rstrip().endswith(":0") for line in lines)
    served.send_signal(signal.SIGTERM)
    _, errors = served.communicate(timeout=30)
    assert served.returncode == 0, errors


@pytest.mark.parametrize(
    "text", ["metering", "metering=127.0.0.1:1", "market=127.0.0.1:1=x", "=127.0.0.1:1=x"]
)
def test_a_package_that_is_no_name_address_and_id_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["serve", "--package", text]) == 1
    assert "not NAME=ADDRESS=CCID" in capsys.readouterr().err


def test_a_package_names_its_contract_and_its_code() -> None:
    package = cli.package("metering=127.0.0.1:9002=metering:abc=def")
    assert (package.address, package.ccid) == ("127.0.0.1:9002", "metering:abc=def")
    assert [contract.name for contract in package.contracts] == ["metering"]
    assert package.code == ("pedchain_domain",)


def test_metadata_reports_the_self_test() -> None:
    contract = cli.package("registry=127.0.0.1:1=r").contracts[0]
    digest = contract.self_test()
    assert digest is not None
    assert len(digest) == 64
