# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pedchain_fabric.client import profile
from pedchain_fabric.errors import IdentityError, WireError
from tests.unit.fabric.client.fakepeer import serving
from tests.unit.fabric.wire import pki


@pytest.fixture
def folder(tmp_path):
    """A state folder with one organisation's profile and keys."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "crypto").mkdir()
    (tmp_path / "profiles").mkdir()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "crypto" / "key.pem").write_bytes(pem)
    (tmp_path / "crypto" / "cert.pem").write_bytes(pki.root().issue(key=key).pem)
    (tmp_path / "crypto" / "tls.pem").write_bytes(pki.root("tls").pem)
    return tmp_path


def content(**changes):
    user = {"certificate": "../crypto/cert.pem", "key": "../crypto/key.pem"}
    node = {"address": "127.0.0.1:1", "server_name": "n", "tls_ca": "../crypto/tls.pem"}
    return {
        "schema": "profile/1",
        "organization": "Org",
        "msp_id": "OrgMSP",
        "channel": "ped",
        "runtime": "embedded",
        "peer": node,
        "users": {"gateway": user, "admin": user},
        "orderers": [{**node, "msp_id": "OrgMSP"}],
        "peers": [{**node, "organization": "Else", "msp_id": "ElseMSP"}],
        "genesis": "../channel/ped.block",
        **changes,
    }


def write(folder, found):
    path = folder / "profiles" / "Org.json"
    path.write_text(json.dumps(found))
    return path


def test_paths_are_relative_to_the_file(folder):
    found = profile.load(write(folder, content()))
    assert found.peer.tls_ca == folder / "crypto" / "tls.pem"
    assert found.users["admin"].key == folder / "crypto" / "key.pem"
    assert found.genesis == folder / "channel" / "ped.block"
    assert (found.msp_id, found.channel, found.runtime) == ("OrgMSP", "ped", "embedded")
    assert (found.peer.msp_id, found.peer.organization) == ("OrgMSP", "Org")
    assert found.orderers[0].msp_id == "OrgMSP"
    assert found.peers[0].organization == "Else"


@pytest.mark.complete("client-connect")
async def test_a_profile_is_all_it_takes_to_connect(folder, peer):
    async with serving(peer) as address:
        node = {"address": address, "tls_ca": None}
        path = write(folder, content(peer=node))
        async with await profile.connect(path) as gateway:
            answer = await gateway.network("ped").contract("cc").evaluate("Get")
    assert answer == b"Get"
    assert gateway.identity.msp_id == "OrgMSP"


async def test_trust_is_given_when_connecting(folder, peer):
    async with serving(peer) as address:
        path = write(folder, content(peer={"address": address, "tls_ca": None}))
        trusted = frozenset({"ElseMSP"})
        async with await profile.connect(path, "admin", trusted_organizations=trusted) as gateway:
            contract = gateway.network("ped").contract("cc")
            await contract.submit("Put", transient={"a": b"1"}, endorsing_organizations=["ElseMSP"])
    assert peer.submitted


async def test_a_channel_with_tls_opens_only_when_used(folder):
    async with await profile.connect(profile.load(write(folder, content()))) as gateway:
        assert gateway.identity.msp_id == "OrgMSP"


def test_an_unknown_user_or_missing_key_is_an_identity_error(folder):
    path = write(folder, content())
    with pytest.raises(IdentityError, match="no user 'nobody'"):
        profile.load(path).identity("nobody")
    (folder / "crypto" / "key.pem").unlink()
    with pytest.raises(IdentityError, match="No such file"):
        profile.load(path).identity()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "profile/2"},
        {"msp_id": None},
        {"peer": {}},
        {"peer": "text"},
        {"peer": {"address": 1}},
        {"users": []},
        {"users": {"gateway": {}}},
        {"orderers": [1]},
        {"genesis": 1},
    ],
)
def test_what_is_no_profile_is_a_wire_error(folder, change):
    with pytest.raises(WireError):
        profile.load(write(folder, content(**change)))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 3000, "x" * 2_000_000])
def test_garbage_is_a_wire_error(folder, text):
    path = folder / "profiles" / "Org.json"
    path.write_text(text)
    with pytest.raises(WireError):
        profile.load(path)
