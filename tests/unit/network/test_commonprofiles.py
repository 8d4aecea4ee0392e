# SPDX-License-Identifier: Apache-2.0
"""Goal: profiles other clients load. Method: what each of them needs, read from what is made;
tests/interop/test_hfc.py lets hfc itself load one."""

import json
from pathlib import Path
from typing import Any

import pytest

from pedchain_network import commonprofiles, profiles
from pedchain_network.errors import StateError
from pedchain_network.state import State


def node(name: str, msp_id: str) -> dict[str, str]:
    return {
        "address": "127.0.0.1:7051",
        "server_name": name,
        "tls_ca": f"../crypto/{msp_id}/cert.pem",
        "msp_id": msp_id,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state's profiles, with the certificates they name."""
    for msp_id in ("OneMSP", "TwoMSP"):
        file = tmp_path / "crypto" / msp_id / "cert.pem"
        file.parent.mkdir(parents=True)
        file.write_text(f"certificate of {msp_id}")
    made = tmp_path / "profiles"
    made.mkdir()
    (made / "One.json").write_text(json.dumps(PROFILE))
    return made


PROFILE: dict[str, Any] = {
    "schema": "profile/1",
    "organization": "One",
    "msp_id": "OneMSP",
    "channel": "ped",
    "runtime": "embedded",
    "peer": node("peer0.one.ped", "OneMSP"),
    "users": {"gateway": {"certificate": "../crypto/c.pem", "key": "../crypto/k.pem"}},
    "orderers": [node("orderer0.one.ped", "OneMSP")],  # Two has peers only
    "peers": [
        {"organization": "One"} | node("peer0.one.ped", "OneMSP"),
        {"organization": "Two"} | node("peer0.two.ped", "TwoMSP"),
        {"organization": "Two"} | node("peer1.two.ped", "TwoMSP"),
    ],
    "genesis": "../channel/ped.block",
}


def test_hfc_finds_all_it_fails_without(folder: Path) -> None:
    made = commonprofiles.made(PROFILE, folder, "hfc")
    assert made["client"]["credentialStore"]["cryptoStore"]["path"]
    assert made["certificateAuthorities"] == {}
    for each in (*made["peers"].values(), *made["orderers"].values()):
        assert each["url"] == "127.0.0.1:7051"  # no scheme: hfc hands it to gRPC
        assert Path(each["tlsCACerts"]["path"]).is_absolute()
        assert Path(each["tlsCACerts"]["path"]).is_file()
    assert made["peers"]["peer1.two.ped"]["grpcOptions"]["grpc.ssl_target_name_override"] == (
        "peer1.two.ped"
    )


def test_other_clients_get_a_scheme_and_certificates_by_value(folder: Path) -> None:
    made = commonprofiles.made(PROFILE, folder, "ccp")
    assert made["peers"]["peer0.two.ped"]["url"] == "grpcs://127.0.0.1:7051"
    assert made["peers"]["peer0.two.ped"]["tlsCACerts"]["pem"] == "certificate of TwoMSP"


def test_every_organisation_has_its_nodes_and_only_our_own_has_users(folder: Path) -> None:
    found = commonprofiles.made(PROFILE, folder, "hfc")["organizations"]
    assert found["One"]["orderers"] == ["orderer0.one.ped"]
    assert found["Two"]["peers"] == ["peer0.two.ped", "peer1.two.ped"]
    assert found["Two"]["orderers"] == []
    assert set(found["One"]["users"]) == {"gateway"}
    assert found["Two"]["users"] == {}


def test_a_profile_that_is_asked_for_has_absolute_paths_in_every_form(folder: Path) -> None:
    state = State(folder.parent)
    gateway = profiles.read(state, "One", "gateway")
    assert gateway["peer"]["tls_ca"] == str(folder.parent / "crypto" / "OneMSP" / "cert.pem")
    assert gateway["genesis"] == str(folder.parent / "channel" / "ped.block")
    hfc = profiles.read(state, "One", "hfc")
    key = hfc["organizations"]["One"]["users"]["gateway"]["private_key"]
    assert key == str(folder.parent / "crypto" / "k.pem")


def test_an_organisation_without_a_profile_is_named_with_those_that_have_one(folder: Path) -> None:
    with pytest.raises(StateError, match=r"(?s)'Three'.*one of One"):
        profiles.read(State(folder.parent), "Three", "gateway")
    with pytest.raises(StateError, match="run up first"):
        profiles.read(State(folder.parent / "empty"), "One", "gateway")
