# SPDX-License-Identifier: Apache-2.0
"""The peer's Deliver service: full blocks, filtered ones, and blocks with private data.

Source: core/peer/deliverevents.go.
"""

from collections.abc import AsyncIterator
from typing import Any

from fabric_protos.common.common_pb2 import (
    ENDORSER_TRANSACTION,
    Block,
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    Status,
)
from fabric_protos.ledger.rwset.rwset_pb2 import NsPvtReadWriteSet, TxPvtReadWriteSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.events_pb2 import (
    BlockAndPrivateData,
    DeliverResponse,
    FilteredBlock,
    FilteredChaincodeAction,
    FilteredTransaction,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TxValidationCode,
)

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.acl import AccessDenied, Acl
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.deliver import Deliverer, Kind
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.embedded.rpc import Context, Method, Service, certificate_hash
from pedchain_fabric.errors import FabricError, WireError
from pedchain_fabric.wire.block import SignedData, validation_codes
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse


class EventServices:
    """Block events of one peer. `msp_id` is the organisation whose private data it holds."""

    def __init__(self, joined: Joined, acl: Acl, msp_id: str, *, mutual_tls: bool) -> None:
        self._deliverer = Deliverer(joined)
        self._acl = acl
        self._msp_id = msp_id
        self._mutual_tls = mutual_tls

    def service(self) -> Service:
        """protos.Deliver."""
        kinds = {
            "Deliver": Kind(self._may("event/Block"), _full, _status),
            "DeliverFiltered": Kind(self._may("event/FilteredBlock"), _filtered, _status),
            "DeliverWithPrivateData": Kind(
                self._may("event/Block"), self._with_private_data, _status
            ),
        }
        methods = tuple(
            Method(
                name,
                self._handler(kind),
                Envelope.FromString,
                DeliverResponse.SerializeToString,
                request_stream=True,
                response_stream=True,
            )
            for name, kind in kinds.items()
        )
        return Service("protos.Deliver", methods, limits.DELIVER_CONCURRENCY)

    def _handler(self, kind: Kind[DeliverResponse]) -> Any:
        def handle(
            requests: AsyncIterator[Envelope], context: Context
        ) -> AsyncIterator[DeliverResponse]:
            tls_hash = certificate_hash(context) if self._mutual_tls else b""
            return self._deliverer.handle(requests, kind, tls_hash)

        return handle

    def _may(self, resource: str) -> Any:
        def allowed(channel: Channel, claim: SignedData) -> bool:
            try:
                self._acl.check(resource, channel.ledger, claim)
            except AccessDenied:
                return False
            return True

        return allowed

    def _with_private_data(
        self, channel: Channel, block: Block, claim: SignedData
    ) -> DeliverResponse:
        """Private values this peer holds and the client may read."""
        held = channel.ledger.private_rwsets(block.header.number, self._msp_id)
        response = BlockAndPrivateData(block=block)
        for index, private in held.items():
            readable = _readable(channel, private, claim)
            if readable.ns_pvt_rwset:
                response.private_data_map[index].CopyFrom(readable)
        return DeliverResponse(block_and_private_data=response)


def _readable(channel: Channel, private: TxPvtReadWriteSet, claim: SignedData) -> TxPvtReadWriteSet:
    readable = TxPvtReadWriteSet(data_model=private.data_model)
    for namespace in private.ns_pvt_rwset:
        kept = [
            rwset
            for rwset in namespace.collection_pvt_rwset
            if _may_read(channel, (namespace.namespace, rwset.collection_name), claim)
        ]
        if kept:
            readable.ns_pvt_rwset.append(
                NsPvtReadWriteSet(namespace=namespace.namespace, collection_pvt_rwset=kept)
            )
    return readable


def _may_read(channel: Channel, place: tuple[str, str], claim: SignedData) -> bool:
    collection = channel.ledger.collection(*place)
    if collection is None:
        return False
    if not collection.member_only_read:
        return True
    policy = collection.config.member_orgs_policy.signature_policy
    try:
        client = Identity.from_creator(claim.creator)
        return any(channel.config.msps.satisfies(client, each) for each in policy.identities)
    except FabricError:
        return False


def _status(status: Status.ValueType) -> DeliverResponse:
    return DeliverResponse(status=status)


def _full(_channel: Channel, block: Block, _claim: SignedData) -> DeliverResponse:
    return DeliverResponse(block=block)


def _filtered(_channel: Channel, block: Block, _claim: SignedData) -> DeliverResponse:
    """A block with a transaction that cannot be read is a status instead, and the next follows."""
    try:
        return DeliverResponse(filtered_block=filtered(block))
    except WireError:
        return DeliverResponse(status=Status.BAD_REQUEST)


def filtered(block: Block) -> FilteredBlock:
    """The block without payloads: ids, types, verdicts, and the names of events.

    Raises `WireError` if one of its transactions, valid or not, cannot be read.
    """
    result = FilteredBlock(number=block.header.number)
    for raw, code in zip(block.data.data, validation_codes(block), strict=True):
        _add(result, raw, code)
    return result


def _add(result: FilteredBlock, raw: bytes, code: TxValidationCode.ValueType) -> None:
    try:
        envelope = parse(Envelope, raw)
    except WireError:
        return
    payload = parse(Payload, envelope.payload)
    if not payload.HasField("header"):
        return
    header = parse(ChannelHeader, payload.header.channel_header)
    result.channel_id = header.channel_id
    transaction = result.filtered_transactions.add(
        txid=header.tx_id, type=_type(header.type), tx_validation_code=code
    )
    if header.type == ENDORSER_TRANSACTION:
        transaction.transaction_actions.SetInParent()
        for action in parse(Transaction, payload.data).actions:
            _add_event(transaction, action.payload)


def _type(value: int) -> HeaderType.ValueType:
    return HeaderType.ValueType(value)


def _add_event(transaction: FilteredTransaction, payload: bytes) -> None:
    action = parse(ChaincodeActionPayload, payload)
    if not action.HasField("action"):
        return
    response = parse(ProposalResponsePayload, action.action.proposal_response_payload)
    event = parse(ChaincodeEvent, parse(ChaincodeAction, response.extension).events)
    if event.chaincode_id:
        named = ChaincodeEvent(
            chaincode_id=event.chaincode_id, tx_id=event.tx_id, event_name=event.event_name
        )
        transaction.transaction_actions.chaincode_actions.append(
            FilteredChaincodeAction(chaincode_event=named)
        )
