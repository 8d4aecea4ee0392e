# SPDX-License-Identifier: Apache-2.0
"""`ped-chaincode serve`: what it takes, what it prints, how it ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

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


def test_tls_is_mutual_or_not_at_all(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    package = "registry=127.0.0.1:0=registry:1"
    assert cli.main(["serve", "--package", package, "--tls-cert", str(tmp_path / "c")]) == 1
    assert "--tls-cert, --tls-key and --client-ca go together" in capsys.readouterr().err


def test_a_tls_file_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "nothing.pem")
    files = ["--tls-cert", path, "--tls-key", path, "--client-ca", path]
    assert cli.main(["serve", "--package", "registry=127.0.0.1:0=registry:1", *files]) == 1
    assert "nothing.pem" in capsys.readouterr().err


def test_a_package_names_its_contract_and_its_code() -> None:
    package = cli.package("metering=127.0.0.1:9002=metering:abc=def")
    assert (package.address, package.ccid) == ("127.0.0.1:9002", "metering:abc=def")
    names = [contract.name for contract in package.contracts]
    assert names[:2] == ["metering", "membership"]
    assert package.code == ("pedchain_domain",)


def test_metadata_reports_the_self_test() -> None:
    contract = cli.package("registry=127.0.0.1:1=r").contracts[0]
    digest = contract.self_test()
    assert digest is not None
    assert len(digest) == 64


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's package: a contract without guards and a helper that uses a float."""
    package = tmp_path / "strangers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("RATE = 0.5\n")
    (package / "contract.py").write_text(
        "from pedchain_fabric.shim import Context, Contract, submit\n"
        "from strangers.helper import RATE\n\n\n"
        "class Assets(Contract):\n"
        '    name = "assets"\n\n'
        "    @submit\n"
        "    async def create(self, ctx: Context, key: str) -> None:\n"
        "        await ctx.stub.put_state(key, str(RATE).encode())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("foreign")
def test_the_lint_follows_another_developers_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint", "strangers.contract"]) == 1
    shown = capsys.readouterr().out
    assert "helper.py:1: PD002" in shown
    assert "PD019" in shown
    assert "PD001" not in shown


@pytest.mark.usefixtures("foreign")
def test_whoever_names_a_package_has_all_its_modules_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["lint", "strangers", "--ignore", "PD019"]) == 1
    assert "helper.py:1: PD002" in capsys.readouterr().out


@pytest.mark.usefixtures("foreign")
def test_a_rule_can_be_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint", "strangers.contract", "--ignore", "PD019", "--ignore", "PD002"]) == 0
    assert "0 findings in 3 modules" in capsys.readouterr().out


def test_a_rule_that_does_not_exist_cannot_be_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["lint", "--ignore", "PD999"]) == 2
    assert "PD999" in capsys.readouterr().err


def test_a_contract_that_is_a_single_file_is_linted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lonely_contract.py").write_text("HALF = 0.5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert cli.main(["lint", "lonely_contract"]) == 1
    assert "lonely_contract.py:1: PD002" in capsys.readouterr().out
