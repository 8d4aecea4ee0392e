# SPDX-License-Identifier: Apache-2.0
"""Goal: an update leads where it should. Method: the embedded ledger, which has Fabric's rules,
applies what was computed, after edits and after arbitrary changes of the tree."""

from collections.abc import Sequence

import pytest
from fabric_protos.common.configtx_pb2 import Config, ConfigGroup
from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_fabric.admin import configdiff, configupdate, summary
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.edit import consenters, governance, organizations
from pedchain_fabric.admin.refusal import EditRefused, Reason
from pedchain_fabric.embedded.ledger import ConfigRefused
from pedchain_fabric.embedded.ledger.configupdate import propose
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.admin import channels
from tests.unit.fabric.admin.channels import CHANNEL, NAMES, NEW, config, current, keys

ENOUGH = ("DSO", "DistrictA", "DistrictB")


def unversioned(group: ConfigGroup) -> ConfigGroup:
    """The group without versions, which an update decides by itself."""
    bare = ConfigGroup()
    bare.CopyFrom(group)
    bare.version = 0
    for value in bare.values.values():
        value.version = 0
    for policy in bare.policies.values():
        policy.version = 0
    for name, below in group.groups.items():
        bare.groups[name].CopyFrom(unversioned(below))
    return bare


def signed(update: SignedUpdate, names: Sequence[str] = ENOUGH) -> SignedUpdate:
    for name in names:
        update = update.signed_by(keys(name).admin)
    return update


def applied(update: SignedUpdate, names: Sequence[str] = ENOUGH) -> Config:
    """What Fabric's rules make of it, signed by these organisations' administrators."""
    envelope = signed(update, names).envelope(keys("DSO").admin)
    return propose(current(), envelope).config


def test_an_added_organisation_is_there_once_the_update_is_applied() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    result = applied(configupdate.prepare(current(), wanted))
    assert unversioned(result.channel_group) == unversioned(wanted.channel_group)
    assert set(ChannelConfig.from_config(CHANNEL, result).application_orgs) == {*NAMES, NEW}


def test_only_what_changed_and_its_groups_get_a_new_version() -> None:
    wanted = organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 1)])
    result = applied(configupdate.prepare(current(), wanted), ["DSO"])
    group = result.channel_group.groups["Application"].groups["DSO"]
    assert group.values["AnchorPeers"].version == 1
    assert group.version == 0
    assert group.values["MSP"].version == 0


def test_versions_go_on_from_where_they_are() -> None:
    first = organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 1)])
    once = ChannelConfig.from_config(CHANNEL, applied(configupdate.prepare(current(), first)))
    second = organizations.set_anchor_peers(once.config, "DSO", [("127.0.0.1", 2)])
    update = configupdate.prepare(once, second).signed_by(keys("DSO").admin)
    result = propose(once, update.envelope(keys("DSO").admin)).config
    anchors = result.channel_group.groups["Application"].groups["DSO"].values["AnchorPeers"]
    assert (result.sequence, anchors.version) == (2, 2)


def test_too_few_signatures_are_seen_before_anything_is_sent() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    update = configupdate.prepare(current(), wanted)
    two = signed(update, ["DSO", "DistrictA"])
    assert configupdate.lacking(current(), two) == ("/Channel/Application/Admins",)
    assert configupdate.lacking(current(), signed(update)) == ()
    with pytest.raises(ConfigRefused):
        applied(update, ["DSO", "DistrictA"])


def test_signatures_gathered_apart_count_together() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    update = configupdate.prepare(current(), wanted)
    files = [signed(update, [name]).to_bytes() for name in ENOUGH]
    first, *others = map(SignedUpdate.from_bytes, files)
    whole = first.merged(*others)
    assert [each.msp_id for each in whole.signers()] == [f"{name}MSP" for name in ENOUGH]
    assert configupdate.lacking(current(), whole) == ()
    assert whole.merged(whole, first) == whole


def test_a_second_signature_of_one_administrator_changes_nothing() -> None:
    wanted = organizations.set_anchor_peers(config(), "DSO", [])
    update = configupdate.prepare(current(), wanted).signed_by(keys("DSO").admin)
    assert update.signed_by(keys("DSO").admin) == update


def test_signatures_of_another_update_are_refused() -> None:
    updates = [
        configupdate.prepare(
            current(), organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", port)])
        )
        for port in (1, 2)
    ]
    with pytest.raises(EditRefused) as raised:
        updates[0].merged(updates[1])
    assert raised.value.reason is Reason.DIFFERENT_UPDATE


def test_a_forged_signature_makes_nobody_a_signer() -> None:
    wanted = organizations.set_anchor_peers(config(), "DSO", [])
    update = configupdate.prepare(current(), wanted)
    other = configupdate.prepare(
        current(), organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 9)])
    )
    forged = SignedUpdate(update.update, other.signed_by(keys("DSO").admin).signatures)
    assert forged.signers() == ()
    assert configupdate.lacking(current(), forged) == ("/Channel/Application/DSO/Admins",)


def test_an_update_made_from_an_older_configuration_is_stale() -> None:
    wanted = organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 1)])
    update = configupdate.prepare(current(), wanted)
    later = ChannelConfig.from_config(CHANNEL, applied(update))
    with pytest.raises(EditRefused, match="make it again") as raised:
        configupdate.review(later, update)
    assert raised.value.reason is Reason.STALE


def test_an_update_for_another_channel_is_refused() -> None:
    wanted = organizations.set_anchor_peers(config(), "DSO", [])
    update = configdiff.compute("other", current().config, wanted)
    with pytest.raises(EditRefused, match="other") as raised:
        configupdate.review(current(), SignedUpdate(serialize(update)))
    assert raised.value.reason is Reason.BAD_VALUE


def test_no_change_is_no_update() -> None:
    with pytest.raises(EditRefused) as raised:
        configupdate.prepare(current(), config())
    assert raised.value.reason is Reason.NO_CHANGE


def test_a_file_that_is_no_update_is_refused() -> None:
    with pytest.raises(WireError):
        SignedUpdate.from_bytes(serialize(keys("DSO").msp))


def test_a_review_says_what_changes_and_who_must_agree() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    wanted = governance.set_lifecycle_endorsement(wanted, f"AND('DSOMSP.peer', '{NEW}MSP.peer')")
    wanted = consenters.remove(
        consenters.add(wanted, channels.consenter("DSO", 5, 7900)), "127.0.0.1", 7950
    )
    found = configupdate.review(current(), configupdate.prepare(current(), wanted))
    assert [(each.action, each.path, each.policy) for each in found] == [
        ("added", f"/Channel/Application/{NEW}", "/Channel/Application/Admins"),
        (
            "changed",
            "/Channel/Application/LifecycleEndorsement",
            "/Channel/Application/Admins",
        ),
    ]
    assert f"{NEW}MSP" in found[0].after
    assert found[1].before == "AND('DSOMSP.peer', 'DistrictAMSP.peer')"
    assert str(found[1]).endswith("[needs /Channel/Application/Admins]")


# Arbitrary changes of the tree, by Fabric's rules

PATHS = (
    "/Channel",
    "/Channel/Application",
    "/Channel/Orderer",
    "/Channel/Application/DSO",
    "/Channel/Orderer/DSO",
)
NAME = st.sampled_from(["Kept", "Other", "Third"])
HALVES = ("/Channel/Application", "/Channel/Orderer")
CHANGE = st.tuples(
    st.sampled_from(PATHS), st.sampled_from(["value", "policy", "group"]), NAME
).filter(lambda change: change[:2] not in [(half, "group") for half in HALVES])


def group_at(root: ConfigGroup, path: str) -> ConfigGroup:
    for name in path.split("/")[2:]:
        root = root.groups[name]
    return root


def put(group: ConfigGroup, kind: str, name: str, content: int) -> None:
    """An element of that kind; values hold anything, groups hold a value."""
    if kind == "value":
        group.values[name].value = b"%d" % content
        group.values[name].mod_policy = "Admins"
    elif kind == "policy":
        group.policies[name].CopyFrom(group.policies["Readers"])
        group.policies[name].mod_policy = ("Admins", "/Channel/Admins")[content % 2]
    else:
        group.groups[name].mod_policy = ("Admins", "Writers")[content % 2]
        group.groups[name].values["Inner"].value = b"%d" % content
        group.groups[name].values["Inner"].mod_policy = "Admins"


def drop(group: ConfigGroup, kind: str, name: str) -> None:
    held = {"value": group.values, "policy": group.policies, "group": group.groups}[kind]
    held.pop(name, None)


@settings(max_examples=40)
@given(
    before=st.lists(st.tuples(CHANGE, st.integers(0, 3)), max_size=6),
    puts=st.lists(st.tuples(CHANGE, st.integers(0, 3)), max_size=6),
    drops=st.lists(CHANGE, max_size=4),
)
def test_the_update_leads_to_what_is_wanted(
    before: list[tuple[tuple[str, str, str], int]],
    puts: list[tuple[tuple[str, str, str], int]],
    drops: list[tuple[str, str, str]],
) -> None:
    start = config()
    for (path, kind, name), content in before:
        put(group_at(start.channel_group, path), kind, name, content)
    wanted = Config()
    wanted.CopyFrom(start)
    for (path, kind, name), content in puts:
        put(group_at(wanted.channel_group, path), kind, name, content)
    for path, kind, name in drops:
        drop(group_at(wanted.channel_group, path), kind, name)
    if unversioned(start.channel_group) == unversioned(wanted.channel_group):
        with pytest.raises(EditRefused, match="already"):
            configdiff.compute(CHANNEL, start, wanted)
        return
    update = SignedUpdate(serialize(configdiff.compute(CHANNEL, start, wanted)))
    now = ChannelConfig.from_config(CHANNEL, start)
    result = configupdate.result(now, update)
    assert unversioned(result.channel_group) == unversioned(wanted.channel_group)
    assert summary.changes(start, result) == summary.changes(start, wanted) != ()
    whole = signed(update, NAMES)
    if configupdate.lacking(now, whole):
        with pytest.raises(ConfigRefused):
            propose(now, whole.envelope(keys("DSO").admin))
    else:
        proposed = propose(now, whole.envelope(keys("DSO").admin)).config
        assert proposed.channel_group == result.channel_group
