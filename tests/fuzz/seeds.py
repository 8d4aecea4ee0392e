# SPDX-License-Identifier: Apache-2.0
"""Valid examples to begin with: what Fabric 3.1.5 wrote (tests/golden), and what we write."""

import datetime
import gzip
import json
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetHistoryForKey,
    GetQueryResult,
    GetState,
    GetStateByRange,
    GetStateMetadata,
    GetStateMultiple,
    PutState,
    PutStateMetadata,
    QueryMetadata,
    QueryResponse,
    QueryStateNext,
    StateMetadata,
    WriteBatchState,
    WriteRecord,
)
from fabric_protos.peer.events_pb2 import BlockAndPrivateData
from fabric_protos.peer.proposal_pb2 import SignedProposal
from google.protobuf.message import Message

from pedchain_domain import batch, canonical, ocmf
from pedchain_fabric.admin.package import service_package
from pedchain_fabric.shim.clientidentity import ATTRIBUTES_OID
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity, certificate_pem
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.proposal import build_proposal
from pedchain_fabric.wire.transaction import parse_envelope
from pedchain_network.topology import reader
from tests.fuzz.conversations import framed, registration

GOLDEN = Path(__file__).parent.parent / "golden" / "main-job"
M = ChaincodeMessage


@cache
def blocks() -> tuple[bytes, ...]:
    """Some of Fabric's own: the genesis block, a config block, blocks of transactions."""
    files = sorted((GOLDEN / "blocks").iterdir())
    return tuple(each.read_bytes() for each in (files[0], files[1], files[7], files[-1]))


@cache
def envelopes() -> tuple[bytes, ...]:
    """Transactions of Fabric's blocks."""
    found = [raw for each in blocks() for raw in wire_block.parse_block(each).data.data]
    return tuple(each for each in found[1:4])


def rwsets() -> tuple[bytes, ...]:
    """Read-write sets of Fabric's blocks."""
    parts = [parse_envelope(each) for each in envelopes()]
    return tuple(each.results for each in parts if each.action is not None)


def private_rwsets() -> tuple[bytes, ...]:
    """What peers keep of private data."""
    for path in sorted((GOLDEN / "private").iterdir()):
        found = BlockAndPrivateData.FromString(path.read_bytes()).private_data_map
        if found:
            return tuple(serialize(each) for each in found.values())
    raise AssertionError("no private data among what was recorded")


@cache
def certificate() -> bytes:
    """A client's certificate in DER, with attributes."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=client,OU=client,O=DSO")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    attributes = x509.UnrecognizedExtension(ATTRIBUTES_OID, b'{"attrs":{"role":"operator"}}')
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(attributes, critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def certificate_text() -> bytes:
    """The same in PEM."""
    return certificate_pem(x509.load_der_x509_certificate(certificate()))


def creator() -> bytes:
    """The same as a creator."""
    return Identity("DSOMSP", certificate_text()).creator


def keys() -> tuple[bytes, ...]:
    """Private keys in PEM, of both kinds and forms."""
    curve, edwards = ec.derive_private_key(7, ec.SECP256R1()), ed25519.Ed25519PrivateKey
    forms = (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    found = [curve.private_bytes(Encoding.PEM, form, NoEncryption()) for form in forms]
    other = edwards.from_private_bytes(bytes(32))
    return (*found, other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def device_key() -> bytes:
    """A device's public key in hexadecimal."""
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex().encode()


@cache
def record() -> bytes:
    """A record as a meter signs it."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    section = ocmf.build(
        device="home-01-grid",
        counter=12,
        readings=[(1_767_225_600, "1.8.0", "12.345", "kWh"), (1_767_225_600, "2.8.0", "0", "kWh")],
        network="test",
        channel="ped",
    )
    return ocmf.sign(section, key)


def documents() -> tuple[bytes, ...]:
    """Ledger documents."""
    values = ({"schema": "x/1", "list": [1, -2, None, True, "ä"]}, [], {"a": {"b": {"c": []}}})
    return tuple(canonical.encode(each) for each in values)


def packed() -> bytes:
    """A batch of records."""
    return batch.encode([record(), record()])


def msps() -> tuple[bytes, ...]:
    """The definitions of organisations in Fabric's genesis block."""
    config = ChannelConfig.from_block(wire_block.parse_block(blocks()[0])).config
    groups = config.channel_group.groups["Application"].groups
    return tuple(each.values["MSP"].value for each in groups.values())[:2]


def signature() -> bytes:
    """A signature in DER."""
    return ec.derive_private_key(7, ec.SECP256R1()).sign(b"m", ec.ECDSA(hashes.SHA256()))


POLICIES = (
    b"AND('DSOMSP.peer', OR('AMSP.member','BMSP.admin'))",
    b"OutOf(2, 'A.member', 'B.client', 'C.orderer')",
)


def policies() -> tuple[bytes, ...]:
    """Signature policies."""
    return tuple(serialize(policy.parse(each.decode())) for each in POLICIES)


def proposal() -> bytes:
    """A proposal, signed by nobody in particular."""
    made = build_proposal(creator(), "ped", "notes", [b"Get", b"k"], transient={"t": b"v"})
    return serialize(SignedProposal(proposal_bytes=made.proposal_bytes, signature=b"s"))


def topologies() -> tuple[bytes, ...]:
    """The topologies that come with the tool."""
    return tuple(each.read_bytes() for each in (reader.reference(), reader.highly_available()))


def package() -> bytes:
    """A package of chaincode as a service."""
    return service_package("notes", "chaincode").content


def package_files() -> bytes:
    """The same, its outer compression taken away."""
    return gzip.decompress(package())


PROFILE = json.dumps(
    {
        "schema": "profile/1",
        "organization": "DSO",
        "msp_id": "DSOMSP",
        "channel": "ped",
        "peer": {"address": "127.0.0.1:7051", "tls_ca": "tls.pem", "server_name": "peer"},
        "users": {"gateway": {"certificate": "cert.pem", "key": "key.pem"}},
        "orderers": [{"address": "127.0.0.1:7050", "msp_id": "DSOMSP"}],
        "genesis": "genesis.block",
    }
).encode()

CHECKPOINTS = (
    b'{"blockNumber":12,"transactionId":"ab"}',
    b'{"blockNumber":"12","transactionId":""}',
    b"{}",
    b"",
)

NODES = json.dumps({"data_dir": None, "peers": [], "orderers": []}).encode()

REQUESTS = (
    b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics?a=b HTTP/1.1\r\n\r\n",
    b"POST /participation/v1/channels HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
)

FORM = (
    b"multipart/form-data; boundary=xyz\n--xyz\r\nContent-Disposition: form-data; "
    b'name="config-block"; filename="b"\r\n\r\nblock\r\n--xyz--\r\n'
)


def results() -> tuple[bytes, ...]:
    """Items of a query's answer."""
    return (serialize(KV(key="k", value=b"v")), serialize(KeyModification(tx_id="t", value=b"v")))


def said_by_peer() -> bytes:
    """A peer's side of a conversation: registered, ready, a call, answers to what it asks."""
    ready = b"\x08\x01\x10\xe8\x07\x18\x01\x20\xe8\x07"
    call = ChaincodeInput(args=[b"Ask"])
    answers = (b"v", b"", b"", serialize(QueryResponse()), serialize(QueryResponse()), b"", b"")
    return framed(
        M(type=M.REGISTERED),
        M(type=M.READY, payload=ready),
        _in_transaction(M.TRANSACTION, call),
        *(_in_transaction(M.RESPONSE, each) for each in answers),
        M(type=M.KEEPALIVE),
        _in_transaction(M.ERROR, b"no"),
    )


def said_by_chaincode() -> bytes:
    """A chaincode's side: it registers, asks for everything and is done."""
    metadata = serialize(QueryMetadata(pageSize=2, bookmark="k"))
    rule = StateMetadata(metakey="VALIDATION_PARAMETER", value=policies()[0])
    record = WriteRecord(type=WriteRecord.PUT_STATE, key="k", value=b"v")
    asked: tuple[tuple[M.Type.ValueType, Message], ...] = (
        (M.GET_STATE, GetState(key="k")),
        (M.GET_STATE, GetState(key="k", collection="readings")),
        (M.GET_STATE_MULTIPLE, GetStateMultiple(keys=["a", "b"])),
        (M.GET_PRIVATE_DATA_HASH, GetState(key="k", collection="readings")),
        (M.GET_STATE_METADATA, GetStateMetadata(key="k")),
        (M.GET_STATE_BY_RANGE, GetStateByRange(startKey="a", endKey="z")),
        (M.GET_STATE_BY_RANGE, GetStateByRange(startKey="a", endKey="z", metadata=metadata)),
        (M.GET_QUERY_RESULT, GetQueryResult(query="{}")),
        (M.GET_HISTORY_FOR_KEY, GetHistoryForKey(key="k")),
        (M.QUERY_STATE_NEXT, QueryStateNext(id="1")),
        (M.PUT_STATE, PutState(key="k", value=b"v")),
        (M.PUT_STATE_METADATA, PutStateMetadata(key="k", metadata=rule)),
        (M.WRITE_BATCH_STATE, WriteBatchState(rec=[record])),
    )
    return framed(
        registration(),
        *(_in_transaction(kind, each) for kind, each in asked),
        _in_transaction(M.COMPLETED, b"done"),
    )


def _in_transaction(kind: M.Type.ValueType, payload: Message | bytes) -> M:
    data = payload if isinstance(payload, bytes) else serialize(payload)
    return M(type=kind, payload=data, txid="tx", channel_id="ped")


ARGUMENTS = b"text\0-12\0true\0raw"
