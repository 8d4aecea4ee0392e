# SPDX-License-Identifier: Apache-2.0
"""TLS and addresses, from the variables that Go and Node chaincodes read."""

import base64
from pathlib import Path

import pytest

from pedchain_fabric.shim import Contract, Package, Tls


class Empty(Contract):
    name = "empty"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    contents = {
        "cert": b"CERT",
        "key": b"KEY",
        "ca": b"CA",
        "cert64": base64.encodebytes(b"CERT"),
        "key64": base64.encodebytes(b"KEY"),
        "ca64": base64.encodebytes(b"CA"),
        "junk64": b"!!!!",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in contents}


def test_without_variables_there_is_no_tls(files: dict[str, str]) -> None:
    assert Tls.from_environment({}) is None
    go = {"CHAINCODE_TLS_CERT": files["cert"], "CHAINCODE_TLS_KEY": files["key"]}
    assert Tls.from_environment(go) is None  # disabled unless it says otherwise
    assert Tls.from_environment(go | {"CHAINCODE_TLS_DISABLED": "true"}) is None


@pytest.mark.parametrize("no", ["false", "FALSE", "0", "f"])
def test_the_go_samples_variables(files: dict[str, str], no: str) -> None:
    environment = {
        "CHAINCODE_TLS_DISABLED": no,
        "CHAINCODE_TLS_CERT": files["cert"],
        "CHAINCODE_TLS_KEY": files["key"],
    }
    assert Tls.from_environment(environment) == Tls(b"CERT", b"KEY")
    environment["CHAINCODE_CLIENT_CA_CERT"] = files["ca"]
    assert Tls.from_environment(environment) == Tls(b"CERT", b"KEY", b"CA")


def test_the_node_servers_variables_as_pem_or_base64(files: dict[str, str]) -> None:
    prefix = "CORE_CHAINCODE_TLS_"
    pem = {f"{prefix}CERT_FILE": files["cert"], f"{prefix}KEY_FILE": files["key"]}
    assert Tls.from_environment(pem) == Tls(b"CERT", b"KEY")
    encoded = {
        f"{prefix}CERT_PATH": files["cert64"],
        f"{prefix}KEY_PATH": files["key64"],
        f"{prefix}CLIENT_CACERT_PATH": files["ca64"],
    }
    assert Tls.from_environment(encoded) == Tls(b"CERT", b"KEY", b"CA")


def test_half_a_configuration_is_an_error_not_plain_text(files: dict[str, str]) -> None:
    for environment in (
        {"CHAINCODE_TLS_DISABLED": "false"},
        {"CHAINCODE_TLS_DISABLED": "false", "CHAINCODE_TLS_CERT": files["cert"]},
        {"CORE_CHAINCODE_TLS_KEY_FILE": files["key"]},
        {"CORE_CHAINCODE_TLS_CERT_PATH": files["junk64"]},
    ):
        with pytest.raises(ValueError, match=r"TLS needs both|does not name base64"):
            Tls.from_environment(environment)


def test_the_key_is_not_shown() -> None:
    assert "KEY" not in repr(Tls(b"CERT", b"KEY"))


def test_a_package_is_described_by_the_usual_variables() -> None:
    contracts = [Empty()]
    go = {"CHAINCODE_SERVER_ADDRESS": "0.0.0.0:9999", "CHAINCODE_ID": "cc:1"}
    assert Package.from_environment(contracts, go) == Package("cc:1", "0.0.0.0:9999", contracts)
    node = {"CORE_CHAINCODE_ADDRESS": "0.0.0.0:9999", "CORE_CHAINCODE_ID_NAME": "cc:1"}
    assert Package.from_environment(contracts, node) == Package.from_environment(contracts, go)
    with pytest.raises(ValueError, match="CHAINCODE_ID"):
        Package.from_environment(contracts, {"CORE_CHAINCODE_ADDRESS": "0.0.0.0:9999"})
