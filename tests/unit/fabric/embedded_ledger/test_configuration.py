# SPDX-License-Identifier: Apache-2.0
"""Changing the channel's configuration: who may, what counts from when on."""

from collections.abc import Callable, Sequence

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import (
    ConfigEnvelope,
    ConfigGroup,
    ConfigSignature,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)
from fabric_protos.orderer.configuration_pb2 import BatchSize

from pedchain_fabric.embedded.ledger import BlockRefused, ConfigRefused
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import parse, serialize
from tests.unit.fabric.embedded_ledger.channel import CHANNEL
from tests.unit.fabric.embedded_ledger.consortium import Consortium, put

BATCH = BatchSize(max_message_count=7)
ADMINS = ("DSO", "DistrictA", "DistrictB")


def header(kind: int, signer: SigningIdentity) -> Header:
    channel = ChannelHeader(type=kind, channel_id=CHANNEL)
    signature = SignatureHeader(creator=signer.creator, nonce=b"n" * 24)
    return Header(channel_header=serialize(channel), signature_header=serialize(signature))


def signed(kind: int, data: bytes, signer: SigningIdentity) -> Envelope:
    payload = serialize(Payload(header=header(kind, signer), data=data))
    return Envelope(payload=payload, signature=signer.sign(payload))


def new_batch_size(update: ConfigUpdate) -> None:
    """Read nothing but the path, write the next version of the batch size."""
    orderer = update.write_set.groups["Orderer"]
    orderer.values["BatchSize"].value = serialize(BATCH)
    orderer.values["BatchSize"].version = 1
    orderer.values["BatchSize"].mod_policy = "Admins"
    update.read_set.groups["Orderer"].CopyFrom(ConfigGroup())


def envelope(
    consortium: Consortium,
    change: Callable[[ConfigUpdate], None] = new_batch_size,
    admins: Sequence[str] = ADMINS,
    *,
    channel: str = CHANNEL,
    kind: str = "admin",
) -> Envelope:
    """A CONFIG_UPDATE signed by these organisations."""
    update = ConfigUpdate(channel_id=channel)
    change(update)
    bare = serialize(update)
    signatures = []
    for name in admins:
        who: SigningIdentity = getattr(consortium.organizations[name], kind)
        own = serialize(SignatureHeader(creator=who.creator, nonce=b"n" * 24))
        signatures.append(ConfigSignature(signature_header=own, signature=who.sign(own + bare)))
    body = ConfigUpdateEnvelope(config_update=bare, signatures=signatures)
    return signed(CONFIG_UPDATE, serialize(body), consortium.organizations["DSO"].admin)


def ordered(consortium: Consortium, proposed: ConfigEnvelope) -> Envelope:
    return signed(CONFIG, serialize(proposed), consortium.organizations["DSO"].orderer)


def test_an_authorised_update_is_in_force_after_its_block(consortium: Consortium) -> None:
    ledger = consortium.ledger
    proposed = ledger.propose_update(envelope(consortium))
    assert ledger.config.batch_size.max_message_count == 100
    assert consortium.commit(ordered(consortium, proposed)) == ["VALID"]
    assert ledger.config.batch_size == BATCH
    assert ledger.config.sequence == 1
    assert ledger.config_block == ledger.height - 1
    stored = ledger.block(ledger.config_block)
    assert stored is not None
    assert ChannelConfig.from_block(stored).sequence == 1
    assert consortium.submit("open", put("open", "k"), ["DSO"]) == "VALID"


def test_only_what_is_named_changes(consortium: Consortium) -> None:
    before = consortium.ledger.config.config
    after = consortium.ledger.propose_update(envelope(consortium)).config
    expected = type(before)()
    expected.CopyFrom(before)
    expected.sequence = 1
    batch = expected.channel_group.groups["Orderer"].values["BatchSize"]
    batch.version, batch.value = 1, serialize(BATCH)
    assert after == expected


@pytest.mark.parametrize(
    "change",
    [
        {"admins": ADMINS[:2]},
        {"admins": ("DSO", "DSO", "DSO")},
        {"kind": "client"},
    ],
    ids=["two of four", "one three times", "not by admins"],
)
def test_without_a_majority_of_admins_it_is_refused(
    consortium: Consortium, change: dict[str, str]
) -> None:
    with pytest.raises(ConfigRefused, match="BatchSize not satisfied"):
        consortium.ledger.propose_update(envelope(consortium, **change))  # type: ignore[arg-type]


def stale_read(update: ConfigUpdate) -> None:
    new_batch_size(update)
    update.read_set.groups["Orderer"].version = 3


def unknown_read(update: ConfigUpdate) -> None:
    new_batch_size(update)
    update.read_set.groups["None"].version = 0


def nothing(update: ConfigUpdate) -> None:
    update.read_set.groups["Orderer"].version = 0
    update.write_set.CopyFrom(update.read_set)


def two_versions_on(update: ConfigUpdate) -> None:
    new_batch_size(update)
    update.write_set.groups["Orderer"].values["BatchSize"].version = 2


def no_policy(update: ConfigUpdate) -> None:
    new_batch_size(update)
    update.write_set.groups["Orderer"].values["BatchSize"].mod_policy = ""


def new_at_version_one(update: ConfigUpdate) -> None:
    update.read_set.CopyFrom(ConfigGroup())
    update.write_set.values["New"].version = 1
    update.write_set.values["New"].mod_policy = "Admins"


def not_in_its_group(update: ConfigUpdate) -> None:
    """A new value, without the group's next version that would name it."""
    new_batch_size(update)
    update.write_set.groups["Orderer"].groups["Orphan"].mod_policy = "Admins"
    del update.write_set.groups["Orderer"].values["BatchSize"]


def illegal_name(update: ConfigUpdate) -> None:
    new_batch_size(update)
    update.write_set.values["a/b"].mod_policy = "Admins"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (stale_read, "currently at version 0"),
        (unknown_read, "was in the read set"),
        (nothing, "delta set was empty"),
        (two_versions_on, "but key is at version 0"),
        (no_policy, "mod_policy not set"),
        (new_at_version_one, "does not exist"),
        (illegal_name, "illegal"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_update_that_does_not_fit_is_refused(
    consortium: Consortium, change: Callable[[ConfigUpdate], None], text: str
) -> None:
    with pytest.raises(ConfigRefused, match=text):
        consortium.ledger.propose_update(envelope(consortium, change))


def test_an_update_for_another_channel_is_refused(consortium: Consortium) -> None:
    with pytest.raises(ConfigRefused, match="for channel 'other'"):
        consortium.ledger.propose_update(envelope(consortium, channel="other"))


def test_an_element_its_group_does_not_name_never_takes_effect(consortium: Consortium) -> None:
    proposed = consortium.ledger.propose_update(envelope(consortium, not_in_its_group))
    assert "Orphan" not in proposed.config.channel_group.groups["Orderer"].groups


def test_a_block_with_an_unauthorised_configuration_is_refused(consortium: Consortium) -> None:
    proposed = consortium.ledger.propose_update(envelope(consortium))
    proposed.last_update.CopyFrom(envelope(consortium, admins=ADMINS[:2]))
    block = consortium.block(serialize(ordered(consortium, proposed)))
    with pytest.raises(BlockRefused, match="not satisfied"):
        consortium.ledger.commit(block)


def test_a_block_with_another_result_than_its_update_is_refused(consortium: Consortium) -> None:
    proposed = consortium.ledger.propose_update(envelope(consortium))
    proposed.config.channel_group.version = 9
    block = consortium.block(serialize(ordered(consortium, proposed)))
    with pytest.raises(BlockRefused, match="did not produce"):
        consortium.ledger.commit(block)


def test_the_same_configuration_twice_is_refused(consortium: Consortium) -> None:
    transaction = ordered(consortium, consortium.ledger.propose_update(envelope(consortium)))
    assert consortium.commit(transaction) == ["VALID"]
    with pytest.raises(BlockRefused, match="currently at sequence 1"):
        consortium.commit(transaction)


def test_a_configuration_signed_by_a_stranger_is_an_invalid_transaction(
    consortium: Consortium,
) -> None:
    transaction = ordered(consortium, consortium.ledger.propose_update(envelope(consortium)))
    transaction.signature = b"x"
    assert consortium.commit(transaction) == ["BAD_CREATOR_SIGNATURE"]
    assert consortium.ledger.config.sequence == 0


def test_garbage_is_no_update(consortium: Consortium) -> None:
    for data in (b"", b"\xff", serialize(parse(Payload, b""))):
        with pytest.raises(ConfigRefused):
            consortium.ledger.propose_update(Envelope(payload=data))
