# SPDX-License-Identifier: Apache-2.0
"""Goal: a profile the client can use wherever the state lies. Method: let the client load it."""

import json
from pathlib import Path

from pedchain_fabric.client import profile
from pedchain_network import profiles
from pedchain_network.pki import crypto
from pedchain_network.state import State
from pedchain_network.topology import reader


def test_the_client_loads_every_profile(tmp_path: Path) -> None:
    topology, state = reader.load(reader.reference()), State(tmp_path / "one")
    crypto.create(state.crypto, topology)
    profiles.write(topology, state, "embedded")
    moved = state.root.rename(tmp_path / "two")
    for organization in topology.organizations:
        loaded = profile.load(moved / "profiles" / f"{organization.name}.json")
        assert loaded.msp_id == organization.msp_id
        assert loaded.peer.address == topology.address(topology.node("peer", organization))
        assert set(loaded.users) == {"admin", "gateway", "auditor", "operator", "provider"}


def test_what_hfc_keeps_of_users_is_for_nobody_else(tmp_path: Path) -> None:
    topology, state = reader.load(reader.reference()), State(tmp_path)
    crypto.create(state.crypto, topology)
    profiles.write(topology, state, "embedded")
    made = json.loads((state.profiles / "hfc" / "DSO.json").read_text())
    store = Path(made["client"]["credentialStore"]["path"])
    assert store.stat().st_mode & 0o777 == 0o700
