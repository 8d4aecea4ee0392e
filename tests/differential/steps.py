# SPDX-License-Identifier: Apache-2.0
"""What a sequence consists of: plain JSON, made here and understood by the interpreter.

Keys begin with `$`, which stands for the sequence's own prefix: sequences of one network never
meet. Organisations go by their names.
"""

from typing import Any

Json = Any
Step = dict[str, Json]
Script = list[list[Json]]

ORGANIZATIONS = ("Alpha", "Beta", "Gamma")
TWO = ["Alpha", "Beta"]
BLOCK = 4
"""Transactions of a block. An `order` has at most one less; fillers make up for the rest."""


def transaction(
    name: str,
    script: Script,
    *,
    by: list[str],
    client: str = "Alpha",
    chaincode: str = "main",
    flaw: str = "",
    transient: str = "",
) -> Step:
    """A transaction that the peers of `by` endorse, spoilt afterwards by `flaw`."""
    made: Step = {"name": name, "script": script, "by": by}
    if client != "Alpha":
        made["client"] = client
    if chaincode != "main":
        made["cc"] = chaincode
    if flaw:
        made["flaw"] = flaw
    if transient:
        made["transient"] = transient
    return made


def forged(name: str, results: list[Json], *, by: list[str], chaincode: str = "main") -> Step:
    """A transaction whose read-write set nobody simulated, signed with real peers' keys."""
    made: Step = {"name": name, "forge": results, "by": by}
    return made | ({"cc": chaincode} if chaincode != "main" else {})


def order(*transactions: Step) -> Step:
    """All are endorsed, then ordered into one block, in this order."""
    return {"do": "order", "txs": list(transactions)}


def hold(made: Step) -> Step:
    """Endorsed now; ordered when an `order` names it."""
    return {"do": "hold", "tx": made}


def release(name: str, flaw: str = "") -> Step:
    """What was held, to stand in an `order`."""
    return {"release": name} | ({"flaw": flaw} if flaw else {})


def ask(
    script: Script, *, at: str = "Alpha", client: str = "", chaincode: str = "main", flaw: str = ""
) -> Step:
    """A proposal to one peer's endorser."""
    step: Step = {"do": "ask", "script": script, "at": at}
    for name, value, usual in (("client", client, ""), ("cc", chaincode, "main"),
                               ("flaw", flaw, "")):  # fmt: skip
        if value != usual:
            step[name] = value
    return step


def evaluate(script: Script, *, by: list[str] | None = None, **named: str) -> Step:
    """The same through the gateway, which may choose among peers of `by`."""
    step = ask(script, **named) | {"do": "evaluate"}
    return step | ({"by": by} if by else {})


def submit(made: Step, at: str = "Alpha") -> Step:
    """A transaction through the gateway: it chooses peers (of `by`, if given) and orders."""
    return {"do": "submit", "tx": made, "at": at}


def long(key: str, at: str, seconds: float) -> Step:
    """A call at one peer that reads, waits and reads again, while the key is written."""
    return {"do": "long", "key": key, "at": at, "seconds": seconds}


def events(chaincode: str) -> Step:
    """The chaincode's events of this sequence."""
    return {"do": "events", "cc": chaincode}


BLOCKS: Step = {"do": "blocks"}
"""The sequence's blocks as three peers deliver them: whole, filtered, with private data."""


def world(keys: list[str], collections: list[str]) -> Step:
    """State, histories, key policies and private hashes, as each peer has them."""
    return {"do": "world", "keys": keys, "collections": collections}
