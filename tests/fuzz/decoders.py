# SPDX-License-Identifier: Apache-2.0
"""Each decoder as a function of bytes, reading all that a caller would read of the result."""

import base64
import gzip
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.msp.msp_config_pb2 import MSPConfig
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_domain import batch, canonical, instants, ocmf
from pedchain_fabric.client import FileCheckpointer, profile
from pedchain_fabric.embedded import config as embedded_config
from pedchain_fabric.embedded import multipart
from pedchain_fabric.embedded.chaincode import package
from pedchain_fabric.embedded.gateway import proposals
from pedchain_fabric.embedded.ledger.outcome import claimed_id
from pedchain_fabric.embedded.orderer.pool import request_of
from pedchain_fabric.errors import FabricError
from pedchain_fabric.shim import arguments, keypolicy
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.clientidentity import ClientIdentity
from pedchain_fabric.shim.query import key_modification, key_value
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import compositekey, der, durations, policy, policytext, rwset
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity, certificate_pem, load_certificate
from pedchain_fabric.wire.keys import load_signer
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.msp import Msp
from pedchain_fabric.wire.proposal import parse_proposal
from pedchain_fabric.wire.transaction import parse_envelope
from pedchain_network.topology import reader


def record(data: bytes) -> None:
    """An OCMF record."""
    assert ocmf.parse(data).payload in data


def device_key(data: bytes) -> None:
    """A device's public key as registered, in hexadecimal."""
    ocmf.load_key(data.decode("latin-1"))


def document(data: bytes) -> None:
    """A ledger document: what was read has one canonical form."""
    form = canonical.encode(canonical.decode(data))
    assert canonical.encode(canonical.decode_canonical(form)) == form


def packed(data: bytes) -> None:
    """A batch of records: what was read can be packed again."""
    records = batch.decode(data)
    assert batch.unframe(batch.frame(records)) == records


def times(data: bytes) -> None:
    """A day, and a time as OCMF writes it."""
    text = data.decode("latin-1")
    (instants.parse_ocmf if "T" in text else instants.parse_day)(text)


def der_elements(data: bytes) -> None:
    """A signature: what was read is written again as the shortest DER of the same numbers."""
    r, s = der.read_signature(data)
    assert der.read_signature(der.signature(r, s)) == (r, s)


def policy_text(data: bytes) -> None:
    """A policy's text: what it becomes is a policy."""
    policy.check(policytext.parse(data.decode("utf-8", "replace")))


def policy_bytes(data: bytes) -> None:
    """A signature policy, as contracts and validators read it."""
    keypolicy.organizations(data)
    policy.check(parse(SignaturePolicyEnvelope, data))


def duration(data: bytes) -> None:
    """A duration as Go writes it."""
    assert 0 <= durations.seconds(data.decode("latin-1")) < math.inf


def composite_key(data: bytes) -> None:
    """A composite key: what was split is joined again."""
    key = data.decode("utf-8", "replace")
    assert compositekey.create(*compositekey.split(key)) == key


def channel_config(data: bytes) -> None:
    """A config block: its configuration, and whether its orderers signed it."""
    block = wire_block.parse_block(data)
    config = ChannelConfig.from_block(block)
    for path in ("/Channel/Application/Writers", "/Channel/Orderer/BlockValidation", "/Channel/x"):
        config.policy(path).satisfied_by_identities([])
    for msp_id in config.msps.ids:
        assert isinstance(msp_id, str)
    _refused(lambda: config.check_orderers(block))


def block(data: bytes) -> None:
    """A block: header, data, metadata, transactions."""
    found = wire_block.parse_block(data)
    readers: tuple[Callable[[], object], ...] = (
        lambda: wire_block.check_data(found),
        lambda: wire_block.check_well_formed(found.data),
        lambda: wire_block.last_config(found),
        lambda: wire_block.validation_codes(found),
        lambda: wire_block.commit_hash(found),
        lambda: wire_block.orderer_signatures(found.header, found.metadata, ()),
        lambda: wire_block.is_config(found.data),
        *(lambda raw=raw: envelope(raw) for raw in found.data.data),
    )
    wire_block.header_hash(found.header)
    for read in readers:
        _refused(read)


def _refused(read: Callable[[], object]) -> None:
    try:
        read()
    except FabricError:
        return


def envelope(data: bytes) -> None:
    """A transaction, and what orderers and ledgers read of one that is none."""
    claimed_id(data)
    request_of(data)
    found = parse_envelope(data)
    assert isinstance(found.transaction_id, str)
    if found.action is not None:
        rwset.decode(found.results)
        assert found.args is not None
        assert found.response is not None


def signed_proposal(data: bytes) -> None:
    """A proposal as a gateway takes it from a client, then as an endorser does."""
    signed = parse(SignedProposal, data)
    _refused(lambda: proposals.require_complete(proposals.read(signed)))
    parts = parse_proposal(signed.proposal_bytes, signed.signature)
    assert isinstance(parts.transaction_id, str)


def read_write_set(data: bytes) -> None:
    """A read-write set: what was read is written and read again as the same."""
    found = rwset.decode(data)
    assert rwset.decode(rwset.encode(found)) == found


def private_read_write_set(data: bytes) -> None:
    """A private read-write set, and one collection's part of it."""
    _refused(lambda: rwset.decode_collection("readings", data))
    found = rwset.decode_private(data)
    assert rwset.decode_private(rwset.encode_private(found)) == found


def creator(data: bytes) -> None:
    """Who signed, as peers and contracts look at them."""
    identity = Identity.from_creator(data)
    assert identity.not_after
    _refused(lambda: identity.verify(b"message", b"signature"))
    client = ClientIdentity(data)
    assert client.id
    assert isinstance(client.ous, tuple)
    assert dict(client.attributes) is not None


def certificate(data: bytes) -> None:
    """A certificate in PEM."""
    load_certificate(data)


def certificate_body(data: bytes) -> None:
    """A certificate whose DER is the input, so that what is wrong lies below the PEM."""
    pem = b"-----BEGIN CERTIFICATE-----\n%b\n-----END CERTIFICATE-----\n" % base64.b64encode(data)
    creator(Identity("DSOMSP", pem).creator)


def msp(data: bytes) -> None:
    """An MSP's definition."""
    made = Msp.from_config(parse(MSPConfig, data))
    assert isinstance(made.msp_id, str)
    for pem in made.root_certificates:
        found = Identity(made.msp_id, certificate_pem(pem))
        _refused(lambda found=found: made.validate(found))


def private_key(data: bytes) -> None:
    """A private key in PEM."""
    assert load_signer(data).sign(b"message")


def _in_file(read: Callable[[Path], object]) -> Callable[[bytes], None]:
    def decode(data: bytes) -> None:
        path = _scratch() / "file"
        path.write_bytes(data)
        read(path)

    return decode


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _scratch() -> Path:
    """A folder of this process, gone when it ends."""
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="pedchain-fuzz-"))
    return Path(_folders[0].name)


checkpoint = _in_file(FileCheckpointer)
connection_profile = _in_file(profile.load)
topology = _in_file(reader.load)


def chaincode_package(data: bytes) -> None:
    """A chaincode package, and where it says its chaincode is."""
    found = package.parse(data)
    package.connection(found, {"peername": "peer", "chaincode": "127.0.0.1:9999"})


def package_files(data: bytes) -> None:
    """The same below its compression, which a fuzzer cannot make."""
    chaincode_package(gzip.compress(data, 1))


def node_config(data: bytes) -> None:
    """The embedded network's configuration file."""
    path = _scratch() / "config.json"
    path.write_bytes(data)
    embedded_config.load(path)


def form(data: bytes) -> None:
    """A form as the participation API takes it; its first line is the content type."""
    kind, _, body = data.partition(b"\n")
    multipart.single_file(kind.decode("latin-1"), body, "config-block", 1 << 20)


def chaincode_arguments(data: bytes) -> None:
    """A call's arguments, apart by zeros, for parameters of every type."""
    arguments.read([("a", str), ("b", int), ("c", bool), ("d", bytes)], data.split(b"\0"))


def query_results(data: bytes) -> None:
    """What a peer answers a query with, and what it says it can do."""
    assert Abilities.from_ready(data).write_batch >= 0
    _refused(lambda: key_value(data))
    key_modification(data)
