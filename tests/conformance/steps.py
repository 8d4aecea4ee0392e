# SPDX-License-Identifier: Apache-2.0
"""What is asked of a network, in this order; later steps stand on what earlier ones wrote.

Nothing expected is written here: what real Fabric answered stands in `tests/golden/shim`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["submit", "evaluate", "hold", "release"]


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `hold` endorses without ordering; `release` orders what `held` names.

    `organization` is whose gateway and client ask; `endorsers` (MSP ids) replace Fabric's plan.
    `policed` steps turn on policies or certificates, which a peer in memory does not judge.
    """

    name: str
    section: str
    kind: Kind
    function: str = ""
    args: tuple[str, ...] = ()
    transient: Mapping[str, bytes] = field(default_factory=dict)
    chaincode: str = "conformance"
    organization: str = "DSO"
    endorsers: tuple[str, ...] = ()
    held: str = ""
    policed: bool = False


def _submit(section: str, name: str, function: str, *args: str, **more: object) -> Step:
    return Step(name, section, "submit", function, args, **more)  # type: ignore[arg-type]  # as given


def _ask(section: str, name: str, function: str, *args: str, **more: object) -> Step:
    return Step(name, section, "evaluate", function, args, **more)  # type: ignore[arg-type]  # as given


_VALUE = {"value": b"private value"}
_BOTH = ("DSOMSP", "DistrictAMSP")

_STATE = [
    _submit("state", "put", "state:Put", "k", "v1"),
    _ask("state", "get", "state:Get", "k"),
    _ask("state", "get-missing", "state:Get", "missing"),
    _submit("state", "default-contract", "Put", "k", "v2"),
    _submit("state", "put-utf8-key", "state:Put", "ключ-é-🔑", "v"),
    _submit("state", "put-empty-deletes", "state:Put", "k", ""),
    _ask("state", "get-after-empty", "state:Get", "k"),
    _submit("state", "put-again", "state:Put", "k", "v3"),
    _submit("state", "delete", "state:Delete", "k"),
    _submit("state", "delete-missing", "state:Delete", "never"),
    _submit("state", "put-then-delete", "state:PutThenDelete", "k"),
    _submit("state", "put-zero-prefixed", "state:Put", "\0odd", "v"),
    _submit("state", "read-own-write", "state:ReadOwnWrite", "own"),
    _submit("state", "read-own-write-again", "state:ReadOwnWrite", "own"),
    _submit("state", "read-many", "state:Copy", "own,missing,ключ-é-🔑,own", "copied"),
    _ask("state", "get-many", "state:GetMany", "own,missing,copied"),
    _ask("state", "history", "state:History", "k"),
    _ask("state", "history-missing", "state:History", "missing"),
    _submit("state", "at-once", "state:AtOnce", "z", "20"),
    _submit("state", "put-empty-key", "state:Put", "", "v"),
    _ask("state", "get-empty-key", "state:Get", ""),
    _submit("state", "put-large", "state:PutLarge", "large", "5000000"),
    _ask("state", "get-large", "state:Get", "large"),
    _ask("state", "large-length", "state:Length", "large"),
    _submit("state", "delete-large", "state:Delete", "large"),
]

_RANGES = [
    _submit("ranges", "put-few", "state:PutMany", "r", "7"),
    _submit("ranges", "put-many", "state:PutMany", "s", "250"),
    _ask("ranges", "range", "state:Range", "r0002", "r0005"),
    _ask("ranges", "range-open-end", "state:Range", "s0248", ""),
    _ask("ranges", "range-empty", "state:Range", "x", "y"),
    _ask("ranges", "range-long", "state:Count", "s", "t"),
    _ask("ranges", "range-among-composite-keys", "state:Range", "\0", ""),
    _submit("ranges", "range-read-and-write", "state:CountInto", "r", "s", "n1"),
    _submit("ranges", "range-of-51-is-condensed", "state:CountInto", "s0000", "s0051", "n2"),
    _submit("ranges", "range-empty-and-write", "state:CountInto", "x", "y", "n3"),
    _submit("ranges", "range-left-early", "state:TakeInto", "s", "3", "n4"),
    _submit("ranges", "range-left-early-of-few", "state:TakeInto", "s0245", "2", "n5"),
    _ask("ranges", "page-first", "state:RangePage", "r", "s", "3", ""),
    _ask("ranges", "page-next", "state:RangePage", "r", "s", "3", "r0003"),
    _ask("ranges", "page-last", "state:RangePage", "r", "s", "3", "r0006"),
    _ask("ranges", "page-exact", "state:RangePage", "r", "s", "7", ""),
    _ask("ranges", "page-beyond-a-message", "state:RangePage", "s", "t", "150", ""),
    _submit("ranges", "page-then-write", "state:PageThenWrite", "n"),
    _submit("ranges", "write-then-page", "state:WriteThenPage", "n"),
    _ask("ranges", "rich-query", "state:Query", "{}"),
    _ask("ranges", "rich-query-page", "state:QueryPage", "{}"),
]

_COMPOSITE = [
    _submit("composite", "put-a1", "state:PutComposite", "t", "a,1"),
    _submit("composite", "put-a2", "state:PutComposite", "t", "a,2"),
    _submit("composite", "put-ab3", "state:PutComposite", "t", "ab,3"),
    _submit("composite", "put-empty-parts", "state:PutComposite", "", ","),
    _submit("composite", "put-utf8-parts", "state:PutComposite", "т", "é,\U0010fffe"),
    _submit("composite", "put-forbidden-part", "state:PutComposite", "t", "a\0b"),
    _submit("composite", "put-highest-part", "state:PutComposite", "t", "\U0010ffff"),
    _ask("composite", "partial", "state:Composite", "t", "a"),
    _ask("composite", "partial-none", "state:Composite", "t", ""),
    _ask("composite", "partial-whole", "state:Composite", "t", "a,1"),
    _ask("composite", "partial-empty-type", "state:Composite", "", ""),
    _submit("composite", "partial-and-write", "state:CountCompositeInto", "t", "n6"),
    _ask("composite", "page", "state:CompositePage", "t", "2", ""),
    _ask("composite", "page-next", "state:CompositePage", "t", "2", "\0t\0ab\x003\0"),
    _ask("composite", "page-of-all", "state:AllCompositesPage", "3", ""),
    _ask("composite", "not-in-ranges", "state:Range", "", "k"),
    _ask("composite", "behind", "state:CompositeBehind", "t", "", "a,1"),
    _ask("composite", "behind-within", "state:CompositeBehind", "t", "a", "1"),
    _ask("composite", "behind-no-key", "state:CompositeBehind", "t", "", "aa"),
    _ask("composite", "behind-a-part", "state:CompositeBehind", "t", "", "a"),
    _ask("composite", "behind-the-last", "state:CompositeBehind", "t", "a", "2"),
]

_PRIVATE = [
    _submit("private", "put", "private:Put", "pair", "p1,p2", transient=_VALUE),
    _submit("private", "put-shared", "private:Put", "shared", "p1", transient=_VALUE),
    _submit("private", "put-composite", "private:PutComposite", "pair", "a", transient=_VALUE),
    _submit("private", "put-both-worlds", "state:Put", "p1", "public"),
    _ask("private", "get", "private:Get", "pair", "p1"),
    _ask("private", "get-missing", "private:Get", "pair", "missing"),
    _ask("private", "get-many", "private:GetMany", "pair", "p2,missing,p1"),
    _ask("private", "hash", "private:Digest", "pair", "p1"),
    _ask("private", "hash-missing", "private:Digest", "pair", "missing"),
    _ask("private", "hash-elsewhere", "private:Digest", "pair", "p1", organization="DistrictB"),
    _ask("private", "get-elsewhere", "private:Get", "pair", "p1", organization="DistrictB"),
    _ask("private", "range", "private:Range", "pair", "", ""),
    _ask("private", "range-bounded", "private:Range", "pair", "p2", "p3"),
    _ask("private", "composite", "private:Composite", "pair"),
    _ask("private", "rich-query", "private:Query", "pair"),
    _submit("private", "read-and-write", "private:ReadInto", "pair", "p1", "n7"),
    _submit("private", "read-missing-and-write", "private:ReadInto", "pair", "missing", "n8"),
    _submit("private", "range-then-write", "private:RangeThenWrite", "pair", "n9"),
    _submit("private", "write-then-range", "private:WriteThenRange", "pair", "n9"),
    _submit("private", "delete", "private:Delete", "pair", "p1"),
    _ask("private", "get-deleted", "private:Get", "pair", "p1"),
    _submit("private", "purge", "private:Purge", "pair", "p2"),
    _ask("private", "get-purged", "private:Get", "pair", "p2"),
    _ask("private", "hash-purged", "private:Digest", "pair", "p2"),
    _submit("private", "purge-missing", "private:Purge", "pair", "missing"),
    _submit("private", "unknown-collection", "private:Put", "none", "p", transient=_VALUE),
    _submit(
        "private", "implicit", "private:Put", "_implicit_org_DSOMSP", "p",
        transient=_VALUE, endorsers=("DSOMSP",),
    ),
    _ask("private", "get-implicit", "private:Get", "_implicit_org_DSOMSP", "p"),
    _submit(
        "private", "stranger-writes", "private:Put", "pair", "p3",
        transient=_VALUE, organization="DistrictB",
    ),
    _submit(
        "private", "wrong-endorsers", "private:Delete", "pair", "p4",
        endorsers=("DSOMSP", "AggregatorMSP"), policed=True,
    ),
]  # fmt: skip

_POLICIES = [
    _submit("policies", "set-without-value", "state:SetPolicy", "guarded", "", "DistrictAMSP"),
    _ask("policies", "get-without-value", "state:Policy", "guarded", ""),
    _submit("policies", "put", "state:Put", "guarded", "1"),
    _submit("policies", "set", "state:SetPolicy", "guarded", "", "DSOMSP,DistrictAMSP"),
    _ask("policies", "get", "state:Policy", "guarded", ""),
    _submit("policies", "put-as-planned", "state:Put", "guarded", "2"),
    _submit(
        "policies", "put-by-others", "state:Put", "guarded", "3",
        endorsers=("DSOMSP", "DistrictBMSP"), policed=True,
    ),
    _ask("policies", "still-there", "state:Get", "guarded"),
    _submit("policies", "delete", "state:Delete", "guarded"),
    _submit("policies", "put-again", "state:Put", "guarded", "4"),
    _ask("policies", "gone-with-the-value", "state:Policy", "guarded", ""),
    _submit("policies", "put-private", "private:Put", "shared", "guarded", transient=_VALUE),
    _submit("policies", "set-private", "state:SetPolicy", "guarded", "shared", "DSOMSP"),
    _ask("policies", "get-private", "state:Policy", "guarded", "shared"),
    _submit(
        "policies", "private-by-others", "private:Delete", "shared", "guarded",
        endorsers=("DistrictAMSP", "DistrictBMSP"), policed=True,
    ),
]  # fmt: skip

_BATCHES = [
    _submit("batches", "batch", "state:Batch", "b-"),
    _submit("batches", "singles", "state:Singles", "c-"),
    _ask("batches", "batch-result", "state:GetMany", "b-a,b-b,c-a,c-b"),
    _ask("batches", "batch-policy", "state:Policy", "b-a", ""),
    _submit("batches", "left-open", "state:BatchLeftOpen", "o", "3"),
    _ask("batches", "left-open-result", "state:Range", "o", "o1"),
    _submit("batches", "beyond-one-message", "state:BatchLeftOpen", "p", "1001"),
    _ask("batches", "beyond-one-message-result", "state:Count", "p0", "p1001"),
    _submit("batches", "refused", "state:RefusedBatch"),
]

_CALLS = [
    _ask("calls", "transaction", "call:Transaction", "é", transient={"t": b"transient"}),
    _ask("calls", "client", "call:Client", policed=True),
    _ask("calls", "client-elsewhere", "call:Client", organization="DistrictB", policed=True),
    _submit("calls", "event", "call:Event", "Issued", "payload"),
    _submit("calls", "event-without-payload", "call:Event", "Empty", ""),
    _submit("calls", "event-without-name", "call:Event", "", ""),
    _submit("calls", "refuse", "call:Refuse", "not-yours", "ask the DSO"),
    _ask("calls", "refuse-evaluated", "call:Refuse", "not-yours", ""),
    _submit("calls", "bug", "call:Bug", "secret"),
    _ask("calls", "unknown-transaction", "Nope"),
    _ask("calls", "unknown-contract", "nope:Get", "k"),
    _ask("calls", "wrong-arguments", "state:Get"),
    _ask("calls", "wrong-type", "state:CompositePage", "t", "１", ""),
    _submit("calls", "invoke", "call:Invoke", "callee", "Keep", "kept"),
    _ask("calls", "invoke-result", "Get", "kept", chaincode="callee"),
    _submit("calls", "invoke-twice", "call:InvokeTwice", "callee", "twice1", "twice2"),
    _submit("calls", "invoke-refused", "call:Invoke", "callee", "KeepAndRefuse", "x"),
    _submit("calls", "refused-callee-still-writes", "call:Catch", "callee", "KeepAndRefuse", "y"),
    _submit("calls", "refused-callees-batch", "call:Catch", "callee", "BatchAndRefuse", "z"),
    _ask("calls", "invoke-missing", "call:Catch", "missing", "Keep", "k"),
    _ask("calls", "invoke-itself", "call:Catch", "conformance", "Keep", "k"),
    _ask("calls", "invoke-on-this-channel", "call:OnChannel", "callee", "ped"),
    _ask("calls", "invoke-on-no-channel", "call:OnChannel", "callee", "nope"),
]

_CONFLICTS = [
    _submit("conflicts", "put", "state:Put", "m", "1"),
    Step("hold-read", "conflicts", "hold", "state:Copy", ("m", "m2")),
    Step("hold-blind", "conflicts", "hold", "state:Put", ("m", "3")),
    Step("hold-missing", "conflicts", "hold", "state:Copy", ("m9", "m3")),
    Step("hold-range", "conflicts", "hold", "state:CountInto", ("m", "n", "n10")),
    _submit("conflicts", "put-between", "state:Put", "m", "2"),
    Step("read-conflicts", "conflicts", "release", held="hold-read"),
    Step("blind-write-does-not", "conflicts", "release", held="hold-blind"),
    Step("missing-is-unchanged", "conflicts", "release", held="hold-missing"),
    Step("range-is-a-phantom", "conflicts", "release", held="hold-range"),
    Step("hold-new", "conflicts", "hold", "state:CountInto", ("q", "r", "n11")),
    _submit("conflicts", "put-into-range", "state:Put", "q", "1"),
    Step("new-key-is-a-phantom", "conflicts", "release", held="hold-new"),
    Step("hold-policy", "conflicts", "hold", "state:Copy", ("m", "n12")),
    _submit("conflicts", "policy-between", "state:SetPolicy", "m", "", "DSOMSP"),
    Step("policy-change-conflicts", "conflicts", "release", held="hold-policy"),
    _submit("conflicts", "put-private", "private:Put", "pair", "m", transient=_VALUE),
    Step("hold-private", "conflicts", "hold", "private:ReadInto", ("pair", "m", "n13")),
    _submit("conflicts", "delete-private", "private:Delete", "pair", "m"),
    Step("private-read-conflicts", "conflicts", "release", held="hold-private"),
    _ask("conflicts", "nothing-of-the-invalid", "state:GetMany", "m,m2,m3,n10,n11,n12,n13"),
]

STEPS: tuple[Step, ...] = (
    *_STATE,
    *_RANGES,
    *_COMPOSITE,
    *_PRIVATE,
    *_POLICIES,
    *_BATCHES,
    *_CALLS,
    *_CONFLICTS,
)
SECTIONS = tuple(dict.fromkeys(step.section for step in STEPS))
