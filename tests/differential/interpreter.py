# SPDX-License-Identifier: Apache-2.0
"""Carries a sequence out on a network and says what it answered, the same on both networks."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header, SignatureHeader, Status
from fabric_protos.gateway.gateway_pb2 import EndorseRequest, EvaluateRequest, SubmitRequest
from fabric_protos.peer.proposal_pb2 import Proposal
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse

from pedchain_fabric.wire.identity import SigningIdentity
from tests.differential import proposals
from tests.differential.chain import Chain
from tests.differential.envelopes import (
    AGAIN,
    FLAWS,
    ONLY_THE_STATUS,
    Draft,
    filler,
    results_of,
    visible,
)
from tests.differential.forging import forge
from tests.differential.known import Known
from tests.differential.normal import Fact, Names
from tests.differential.steps import BLOCK, ORGANIZATIONS, Step
from tests.parity.target import CHANNEL, refusal

PREFERRED_BYTES = 64 << 10
"""A bigger message is a block of its own."""
_CALL_S = 20.0
_OK = 200
_ATTEMPTS, _PAUSE_S = 50, 0.1
_UNDER_WAY_S = 0.15  # a call that was begun so long ago has read what it reads first


@dataclass(slots=True)
class Made:
    """An endorsed transaction and what its endorsers answered."""

    name: str
    client: str
    request: proposals.Request
    facts: Fact
    responses: list[ProposalResponse]
    response_payload: bytes
    endorsements: list[Endorsement]
    peers: list[SigningIdentity]


@dataclass(slots=True)
class Run:
    """One sequence on one network."""

    target: Known
    chain: Chain
    prefix: str
    names: Names
    made: dict[str, Made] = field(default_factory=dict)

    async def take(self, step: Step) -> Fact:
        """Does one step; what came of it."""
        return await _STEPS[step["do"]](self, json.loads(self.keyed(json.dumps(step))))

    def keyed(self, text: str) -> str:
        """The text with the sequence's prefix for every `$`."""
        return text.replace("$", self.prefix)

    def request(self, client: str, step: Step) -> proposals.Request:
        """The proposal of a step; its transaction has a name from now on."""
        who = self.target.identity(client)
        transient = {"v": step["transient"].encode()} if "transient" in step else {}
        args = [b"do", json.dumps(step["script"]).encode()] if "script" in step else [b"do", b"[]"]
        if "args" in step:
            args = [each.encode() for each in step["args"]]
        made = proposals.request(self.target, who, step.get("cc", "main"), args, transient)
        proposals.FLAWS[step.get("flaw", "")](made)
        if made.transaction_id:
            self.names.transactions[made.transaction_id] = step.get("name", "this")
        return made

    async def ask(self, step: Step) -> Fact:
        """A proposal to one endorser."""
        at = step["at"]
        fact = await self._asked(step, at)
        for _ in range(_ATTEMPTS if "again" in step else 0):
            if isinstance(fact, dict) and fact.get("status") == _OK:
                break
            await asyncio.sleep(_PAUSE_S)  # the peer dials anew once it knows the stream has ended
            fact = await self._asked(step, at)
        return fact[step["only"]] if "only" in step else fact

    async def _asked(self, step: Step, at: str) -> Fact:
        made = self.request(step.get("client") or at, step)
        return await self._answered(step, self._propose(made, at))

    async def _propose(self, made: proposals.Request, at: str) -> Fact:
        answer = await self.target.endorser(at).ProcessProposal(made.signed(), timeout=_CALL_S)
        return self.names.response(answer)

    async def _answered(self, step: Step, call: Awaitable[Fact]) -> Fact:
        found: list[Fact] = []

        async def kept() -> None:
            found.append(await call)

        fact = await refusal(kept())
        if found:
            return found[0]
        if step.get("flaw") in proposals.ONLY_THE_CODE:
            return {"code": fact["code"]}
        return self._told(fact)

    def _told(self, fact: Fact) -> Fact:
        if fact["code"] == "DEADLINE_EXCEEDED" or _reset(fact):
            return {"code": "DEADLINE_EXCEEDED"}  # told by us or by them, whoever is first
        told: dict[str, Fact] = {"code": fact["code"], "message": self.names.text(fact["message"])}
        if "details" in fact:
            # Which of equal peers were asked first is chance; what each said is not.
            told["details"] = sorted({self.names.text(text) for _, text in fact["details"]})
        return told

    async def evaluate(self, step: Step) -> Fact:
        """A query through a gateway."""
        made = self.request(step.get("client") or step["at"], step)

        async def call() -> Fact:
            answer = await self.target.gateway(step["at"]).Evaluate(
                EvaluateRequest(
                    transaction_id=made.transaction_id, channel_id=CHANNEL,
                    proposed_transaction=made.signed(),
                    target_organizations=[f"{each}MSP" for each in step.get("by", ())],
                ),
                timeout=step.get("patience", _CALL_S),
            )  # fmt: skip
            result = answer.result
            return [result.status, result.message, self.names.found(result.payload)]

        return await self._answered(step, call())

    async def submit(self, step: Step) -> Fact:
        """A transaction through a gateway, which chooses who endorses."""
        tx, at = step["tx"], step["at"]
        client = tx.get("client", "Alpha")
        made = self.request(client, tx)
        prepared: list[Envelope] = []

        async def call() -> Fact:
            answer = await self.target.gateway(at).Endorse(
                EndorseRequest(
                    transaction_id=made.transaction_id, channel_id=CHANNEL,
                    proposed_transaction=made.signed(),
                    endorsing_organizations=[f"{each}MSP" for each in tx.get("by", ())],
                ),
                timeout=_CALL_S,
            )  # fmt: skip
            prepared.append(answer.prepared_transaction)
            return self.names.prepared(answer.prepared_transaction)

        fact = await self._answered(tx, call())
        if not prepared:
            return fact
        envelope = prepared[0]
        envelope.signature = made.client.sign(envelope.payload)
        request = SubmitRequest(
            transaction_id=made.transaction_id, channel_id=CHANNEL, prepared_transaction=envelope
        )
        sent = await refusal(self.target.gateway(at).Submit(request, timeout=_CALL_S))
        if "ok" not in sent:
            return [fact, self._told(sent)]
        return [fact, await self._fill(1)]

    async def order(self, step: Step) -> Fact:
        """Transactions endorsed on one state and ordered into one block."""
        drafts = [await self._draft(each) for each in step["txs"]]
        answers: list[Fact] = []
        sent, last = 0, ""
        for tx, draft in zip(step["txs"], drafts, strict=True):
            if draft.endorsements:
                for envelope in self._envelopes(draft, tx.get("flaw", "")):
                    taken, told = await self._broadcast(envelope)
                    if tx.get("flaw") in ONLY_THE_STATUS:
                        told = told[:1]
                    answers.append([draft.name, told] if told else draft.name)
                    if taken and len(envelope.payload) > PREFERRED_BYTES:
                        sent, last = 0, draft.request.transaction_id
                    else:
                        sent += taken
        fact = {"endorsed": [[each.name, each.facts] for each in drafts], "sent": answers}
        return fact | {"blocks": await self._fill(sent, last)}

    async def _fill(self, sent: int, last: str = "") -> Fact:
        """Fillers up to a whole block, then the blocks there are, as codes."""
        for _ in range(-sent % BLOCK):
            last, envelope = filler(self.target.identity("Alpha"), CHANNEL)
            await self._broadcast(envelope)
        return await self.chain.grown(last) if last else []

    async def _broadcast(self, envelope: Envelope) -> tuple[bool, Fact]:
        answer = await self.chain.broadcast(envelope)
        if answer.status == Status.SUCCESS:
            return True, None
        return False, [Status.Name(answer.status), self.names.text(answer.info)]

    async def _draft(self, tx: Step) -> "Made":
        """A transaction to be ordered; without endorsements if it cannot be."""
        if "release" in tx:
            return self.made[tx["release"]]
        return await (self._forge(tx) if "forge" in tx else self._endorse(tx))

    def _envelopes(self, made: Made, flaw: str) -> Sequence[Envelope]:
        """What is sent of a transaction."""
        message = Proposal.FromString(made.request.signed().proposal_bytes)
        header = Header.FromString(message.header)
        channel_header = ChannelHeader.FromString(header.channel_header)
        draft = Draft(
            client=made.request.client,
            stranger=self.target.stranger("AlphaMSP"),
            channel_header=channel_header,
            signature_header=SignatureHeader.FromString(header.signature_header),
            proposal_payload=visible(message.payload),
            response_payload=made.response_payload,
            endorsements=list(made.endorsements),
            peers=made.peers,
        )
        FLAWS.get(flaw, FLAWS[""])(draft)
        first = draft.envelope()
        if flaw not in AGAIN:
            return [first]
        return [first, first if flaw == "again" else draft.envelope()]

    async def hold(self, step: Step) -> Fact:
        """Endorsed and kept."""
        made = await self._endorse(step["tx"])
        self.made[made.name] = made
        return [made.name, made.facts]

    async def _endorse(self, tx: Step) -> Made:
        """Every peer that is asked answers; their answers if they differ, one if not."""
        client = tx.get("client", "Alpha")
        spoilt = tx.get("flaw", "") in proposals.FLAWS and tx.get("flaw", "") not in FLAWS
        request = self.request(client, tx if spoilt else {**tx, "flaw": ""})
        answers = await asyncio.gather(
            *(self._one(request, each) for each in tx["by"]), return_exceptions=False
        )
        facts = [fact for fact, _ in answers]
        responses = [answer for _, answer in answers if answer is not None]
        endorsed = [each for each in responses if each.HasField("endorsement")]
        whole = len(endorsed) == len(tx["by"])
        same = len({each.payload for each in endorsed}) == 1
        told = facts[0] if all(fact == facts[0] for fact in facts) else facts
        return Made(
            tx["name"], client, request, told if same or not whole else ["differ", *facts],
            responses, endorsed[0].payload if endorsed else b"",
            [each.endorsement for each in endorsed] if whole and same else [],
            [self.target.peer_identity(each) for each in tx["by"]],
        )  # fmt: skip

    async def _one(
        self, request: proposals.Request, at: str
    ) -> tuple[Fact, ProposalResponse | None]:
        try:
            answer = await self.target.endorser(at).ProcessProposal(
                request.signed(), timeout=_CALL_S
            )
        except grpc.aio.AioRpcError as error:
            return [error.code().name, self.names.text(error.details() or "")], None
        return self.names.response(answer), answer

    async def _forge(self, tx: Step) -> Made:
        """Signed with the keys of real peers, which simulated nothing."""
        request = self.request("Alpha", {**tx, "script": [], "flaw": ""})
        results = await forge(tx["forge"], self._version)
        payload = results_of(request.signed().proposal_bytes, tx.get("cc", "main"), results)
        peers = [self.target.peer_identity(each) for each in tx["by"]]
        made = Made(tx["name"], "Alpha", request, "forged", [], payload, [Endorsement()], peers)
        made.endorsements = [
            Endorsement(endorser=each.creator, signature=each.sign(payload + each.creator))
            for each in peers
        ]
        return made

    async def _version(self, namespace: str, key: str, wanted: Any) -> tuple[int, int] | None:
        if wanted is None:
            return None
        if wanted == "now":
            return await self.chain.version(namespace, key)
        return self.names.first_block + wanted[0], wanted[1]

    async def long(self, step: Step) -> Fact:
        """A call sees one state from its beginning to its end, whatever is committed meanwhile.

        Which of the two is told first is not compared: see docs/differences.md.
        """
        key, at = step["key"], step["at"]
        script = [["get", key], ["sleep", step["seconds"]], ["get", key]]
        calling = asyncio.create_task(self.ask({"script": script, "at": at, "name": "long"}))
        await asyncio.sleep(_UNDER_WAY_S)
        others = [each for each in ORGANIZATIONS if each != at]
        tx = {"name": "meanwhile", "script": [["put", key, "meanwhile"]], "by": others}
        wrote, called = await asyncio.gather(self.order({"txs": [tx]}), calling)
        after = await self.ask({"script": [["get", key]], "at": at})
        return {"call": called, "write": wrote, "after": after}

    async def events(self, step: Step) -> Fact:
        """Chaincode events of the sequence's blocks."""
        return await self.chain.events(self.names, step["cc"])

    async def blocks(self, _step: Step) -> Fact:
        """The blocks as peers deliver them."""
        return await self.chain.delivered(self.names)

    async def world(self, step: Step) -> Fact:
        """What each peer holds at the end, all the same where it is."""
        script: list[Any] = [["try", "range", self.prefix, f"{self.prefix}~"]]
        for key in step["keys"]:
            script += [["history", key], ["get-metadata", key]]
        facts = {}
        for chaincode in ("main", "callee"):
            facts[chaincode] = await self._everywhere({"script": script, "cc": chaincode})
        for collection in step["collections"]:
            private: list[Any] = [["try", "range", self.prefix, f"{self.prefix}~", collection]]
            for key in step["keys"]:
                private += [
                    ["hash", key, collection], ["try", "get-metadata", key, collection]
                ]  # fmt: skip
            facts[collection] = await self._everywhere({"script": private})
        return facts

    async def _everywhere(self, step: Step) -> Fact:
        found = await asyncio.gather(
            *(self.ask(step | {"at": each, "name": "query"}) for each in ORGANIZATIONS)
        )
        shown = [each.get("found", each) for each in found]
        return shown[0] if all(each == shown[0] for each in shown) else shown


_STEPS: Mapping[str, Callable[[Run, Step], Awaitable[Fact]]] = {
    "ask": Run.ask, "evaluate": Run.evaluate, "submit": Run.submit, "order": Run.order,
    "hold": Run.hold, "long": Run.long, "events": Run.events, "blocks": Run.blocks,
    "world": Run.world,
}  # fmt: skip


def _reset(fact: Fact) -> bool:
    """A peer in Go may end a stream that is overdue at the transport, before it says so."""
    return fact["code"] == "CANCELLED" and "RST_STREAM" in fact["message"]
