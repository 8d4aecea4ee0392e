# SPDX-License-Identifier: Apache-2.0
"""The same script in separate processes gives the same bytes: under five hash seeds, and under
every Python from 3.11 on that is found and can import the packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pedchain_chaincode
import pedchain_domain
import pedchain_fabric
from pedchain_chaincode.metering.contract import MeteringContract
from pedchain_chaincode.metering.membership import MembershipContract
from pedchain_chaincode.origin.contract import OriginContract
from pedchain_chaincode.privacy.contract import PrivacyContract
from pedchain_chaincode.registry.contract import RegistryContract

REPOSITORY = Path(__file__).parents[3]
SCRIPT = "tests.unit.chaincode.script"


def environment(seed: int, *installed: str) -> dict[str, str]:
    """As little as possible, so that nothing of it can matter; `installed` are further folders."""
    members = [pedchain_chaincode, pedchain_domain, pedchain_fabric]
    folders = [str(Path(str(member.__file__)).parents[1]) for member in members]
    return {
        "PYTHONHASHSEED": str(seed),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *folders, *installed]),
        "TZ": ("UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Rome", "Pacific/Chatham")[seed],
        "LC_ALL": ("C", "C.UTF-8")[seed % 2],
    }


def started(python: str, seed: int, *installed: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [python, "-W", "error", "-m", SCRIPT],
        cwd=REPOSITORY,
        env=environment(seed, *installed),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines(process: "subprocess.Popen[str]") -> list[str]:
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0, err[-2_000:]
    return out.splitlines()


def pythons() -> list[tuple[str, ...]]:
    """Every other Python 3.11+ that can import what the script needs: on the path, or in an
    environment beside ours (`.venv-3.13`); by itself or with our installed packages."""
    beside = sorted(str(path) for path in REPOSITORY.glob(".venv*/bin/python"))
    named = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    ours = [path for path in sys.path if path.endswith("site-packages")]
    found: list[tuple[str, ...]] = []
    for python in [*beside, *(path for path in named if path is not None)]:
        if Path(python).absolute() == Path(sys.executable).absolute():
            continue
        for installed in ([], ours):
            if _imports(python, installed):
                found.append((python, *installed))
                break
    return found


def _imports(python: str, installed: list[str]) -> bool:
    probe = subprocess.run(
        [python, "-c", f"import sys, {SCRIPT}; sys.exit(sys.version_info < (3, 11))"],
        cwd=REPOSITORY,
        env=environment(0, *installed),
        capture_output=True,
        check=False,
    )
    return probe.returncode == 0


@pytest.fixture(scope="module")
def reference() -> list[str]:
    return lines(started(sys.executable, 0))


def test_the_script_takes_every_transaction(reference: list[str]) -> None:
    called = {line.split()[1] for line in reference if not line.startswith("state")}
    everything = {*MeteringContract.transactions, *RegistryContract.transactions}
    for contract in (MembershipContract, OriginContract, PrivacyContract):
        everything |= {f"{contract.name}:{name}" for name in contract.transactions}
    # A rotation carries signatures made at random; its test is in test_registration. A month ends
    # in test_certificates.
    assert everything - called == {"RotateKey", "GetMonthly"}
    assert sum(" CloseDay " in line for line in reference) > 4
    assert sum(" FoldShard " in line for line in reference) > 8


@pytest.mark.fault(15)
def test_five_hash_seeds_give_the_same_bytes(reference: list[str]) -> None:
    for seed in (1, 2, 3, 4):
        assert lines(started(sys.executable, seed)) == reference


def test_every_python_found_gives_the_same_bytes(reference: list[str]) -> None:
    for python, *installed in pythons():
        assert lines(started(python, 1, *installed)) == reference, python
