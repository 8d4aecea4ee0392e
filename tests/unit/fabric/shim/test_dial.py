# SPDX-License-Identifier: Apache-2.0
"""How chaincode that dials is told its peer: the variables that Go's shim reads."""

import base64
from pathlib import Path

import pytest

from pedchain_fabric.shim import Context, Contract, Peer, StubError, evaluate, start
from pedchain_fabric.shim.testing import MemoryPeer

PLAIN = {"CORE_PEER_ADDRESS": "127.0.0.1:7052", "CORE_PEER_TLS_ENABLED": "false"}


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """Variables that name files: the root in PEM, key and certificate in base64 of PEM."""
    (tmp_path / "root").write_bytes(b"root")
    for part in ("key", "cert"):
        (tmp_path / part).write_bytes(base64.b64encode(part.encode()))
    return {
        "CORE_PEER_ADDRESS": "peer:7052",
        "CORE_PEER_TLS_ENABLED": "TRUE",
        "CORE_PEER_TLS_ROOTCERT_FILE": str(tmp_path / "root"),
        "CORE_TLS_CLIENT_KEY_PATH": str(tmp_path / "key"),
        "CORE_TLS_CLIENT_CERT_PATH": str(tmp_path / "cert"),
    }


@pytest.mark.complete("shim-Start")
def test_the_environment_names_peer_and_tls_files(tls: dict[str, str], tmp_path: Path) -> None:
    assert Peer.from_environment(PLAIN) == Peer("127.0.0.1:7052")
    assert Peer.from_environment(tls) == Peer("peer:7052", b"root", b"cert", b"key")
    (tmp_path / "pem").write_bytes(b"pem")
    named = tls | {"CORE_TLS_CLIENT_KEY_FILE": str(tmp_path / "pem")}
    assert Peer.from_environment(named).key == b"pem"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CORE_PEER_ADDRESS": ""}, "CORE_PEER_ADDRESS is not set"),
        ({"CORE_PEER_TLS_ENABLED": ""}, "must be set to 'true' or 'false'"),
        ({"CORE_TLS_CLIENT_KEY_PATH": ""}, "CORE_TLS_CLIENT_KEY_PATH is not set"),
        ({"CORE_TLS_CLIENT_CERT_PATH": "{root}"}, "does not name base64"),
    ],
)
def test_what_the_environment_lacks_is_named(
    tls: dict[str, str], change: dict[str, str], message: str
) -> None:
    (Path(tls["CORE_PEER_TLS_ROOTCERT_FILE"])).write_bytes(b"%")
    filled = {
        name: text.format(root=tls["CORE_PEER_TLS_ROOTCERT_FILE"]) for name, text in change.items()
    }
    with pytest.raises(ValueError, match=message):
        Peer.from_environment(tls | filled)


async def test_chaincode_without_a_package_id_is_not_started() -> None:
    with pytest.raises(ValueError, match="CORE_CHAINCODE_ID_NAME"):
        await start([], PLAIN)


class Asking(Contract):
    name = "asking"

    @evaluate
    async def whose(self, ctx: Context) -> str:
        try:
            return ctx.peer_msp_id
        except StubError as error:
            return error.message


@pytest.mark.complete("shim-GetMSPID")
async def test_the_peers_organisation_is_what_its_operator_has_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = MemoryPeer()
    peer.install("asking", Asking())
    monkeypatch.delenv("CORE_PEER_LOCALMSPID", raising=False)
    assert await peer.evaluate("asking", "Whose") == b"'CORE_PEER_LOCALMSPID' is not set"
    monkeypatch.setenv("CORE_PEER_LOCALMSPID", "DSOMSP")
    assert await peer.evaluate("asking", "Whose") == b"DSOMSP"
