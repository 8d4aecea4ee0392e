# SPDX-License-Identifier: Apache-2.0
"""What sequences are about: each theme makes a few steps by chance."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.differential import envelopes, faults, proposals
from tests.differential.dice import COLLECTIONS, Dice
from tests.differential.forgeries import forgeries
from tests.differential.steps import (
    ORGANIZATIONS,
    Step,
    ask,
    evaluate,
    hold,
    long,
    order,
    release,
    submit,
    transaction,
)

Theme = Callable[[Dice], list[Step]]


def _state(dice: Dice) -> list[Step]:
    """Reads and writes, one transaction after another."""
    return [order(transaction(dice.name(), dice.script(), by=dice.by())) for _ in range(4)]


def _ranges(dice: Dice) -> list[Step]:
    """Ranges, long and short, read to their end or not, pages."""
    filled = transaction(dice.name(), [["fill", "$b", dice.one([3, 20, 101, 120])]], by=dice.by())
    start, end = dice.bounds()
    writes: list[Any] = [["range", start, end], ["put", "$d", "seen"]]
    partly: list[Any] = [["range", "$", "$~", "", dice.one([1, 5, 100])], ["put", "$c", "partly"]]
    page = ["page", "$", "$~", dice.one([1, 2, 7]), dice.one(["", "$b", "$b001", "$zz"])]
    return [
        order(filled),
        order(transaction(dice.name(), writes, by=dice.by())),
        order(transaction(dice.name(), partly, by=dice.by())),
        ask([page, ["page", "$", "$~", 3, "", "all"]], at=dice.organization()),
        ask([["try", *page], ["try", "put", "$a", "1"]]),
        ask([["put", "$a", "1"], ["try", *page]]),
        evaluate([["range", *dice.bounds()], ["many", [*dice.keys, "", "$none"]]]),
        ask([["try", "range", "$c", "$a"], ["try", "range", "$a", "$a"], ["try", "get", ""]]),
    ]


def _history(dice: Dice) -> list[Step]:
    """Several writes of one key in and across blocks, deletions between them."""
    key = dice.key()
    blind: list[Any] = [
        transaction(dice.name(), [dice.one([["put", key, dice.value()], ["delete", key]])],
                    by=dice.by())
        for _ in range(3)
    ]  # fmt: skip
    last = transaction(dice.name(), [["history", key], ["put", key, "last"]], by=dice.by())
    return [order(*blind), order(last), evaluate([["history", key], ["history", "$none"]])]


def _private(dice: Dice) -> list[Step]:
    """A collection, by members and others."""
    steps = []
    for _ in range(4):
        collection = dice.one(COLLECTIONS)
        script = [dice.private(collection) for _ in range(dice.chance.randrange(1, 4))]
        by = dice.members(collection) if dice.maybe(75) else dice.anybody()
        client = by[0] if dice.maybe(80) else dice.organization()
        made = transaction(dice.name(), script, by=by, client=client, transient="secret")
        steps.append(order(made))
    asked = [["try", *dice.private(dice.one(COLLECTIONS))] for _ in range(3)]
    ranged = ["try", "range", "$", "$~", dice.one(COLLECTIONS)]
    return [*steps, ask([*asked[:1], ranged], at=dice.organization()),
            ask([ranged, ["try", "put", "$a", "1"]], at="Alpha"),
            ask([["try", "get", "$a", "nowhere"], ["try", "hash", "$a", "nowhere"],
                 ["try", "rich", "{}", "all"], ["try", "purge", "$a", ""]])]  # fmt: skip


def _purge(dice: Dice) -> list[Step]:
    """Written, purged, written again, in one block and across blocks."""
    collection, key = dice.one(["all", "pair", "strict"]), dice.key()
    by = dice.members(collection)

    def made(*script: Any) -> Step:
        return transaction(
            dice.name(), list(script), by=by, client=by[0], transient=dice.one(["one", "two"])
        )

    put, purge = ["put", key, "@transient", collection], ["purge", key, collection]
    return [
        order(made(put)),
        order(made(put), made(purge)) if dice.maybe(50) else order(made(purge), made(put)),
        order(made(["get", key, collection], purge)),
        order(made(put, purge), made(["purge", "$none", collection])),
        order(made(purge, put)),
    ]


def _policies(dice: Dice) -> list[Step]:
    """Key-level policies: on values, on missing keys, on first writes, changed and removed."""
    key, new = dice.key(), "$new"
    guard = dice.some(ORGANIZATIONS, dice.one([1, 2]))
    collection = dice.one(["", "", "all", "strict"])
    where = [collection] if collection else []

    def made(by: list[str], *script: Any) -> Step:
        return transaction(dice.name(), list(script), by=by)

    return [
        order(made(dice.by(), ["policy", "$missing", guard, *where])),
        order(made(dice.by(), ["put", new, "1", *where], ["policy", new, guard, *where])),
        order(
            made(dice.anybody(), ["put", new, "2", *where]),
            made(guard, ["put", new, "3", *where]),
        ),
        order(made(dice.by(), ["put", "$missing", "1", *where])),
        order(
            made(dice.by(), ["policy", key, dice.one([guard, []]), *where]),
            made(dice.by(), ["put", key, "4", *where]),
        ),
        order(made(guard, ["policy", new, dice.one([None, [dice.organization()]]), *where]),
              made(dice.anybody(), ["get-metadata", new, *where], ["put", new, "5", *where])),
        order(made(dice.anybody(), dice.one([["delete", new, *where], ["put", new, "", *where]]))),
        order(made(dice.by(), ["get-metadata", new, *where], ["put", new, "6", *where])),
        submit(transaction(dice.name(), [["put", key, "by plan", *where]], by=[])),
    ]  # fmt: skip


def _implicit(dice: Dice) -> list[Step]:
    """Implicit collections: an organisation's own affair, or not."""
    one, other = dice.some(ORGANIZATIONS, 2)
    mine, theirs = f"_implicit_org_{one}MSP", f"_implicit_org_{other}MSP"

    def made(by: list[str], *script: Any) -> Step:
        return transaction(dice.name(), list(script), by=by, client=by[0], transient="own")

    put = ["put", "$a", "@transient", mine]
    return [
        order(made([one], put, ["event", "own", "1"])),
        order(made([other], ["put", "$a", "x", mine])),
        order(made([one], put, ["put", "$b", "public"])),
        order(made([one, other], put, ["put", "$b", "x", theirs])),
        order(made([one], ["get", "$a", mine], ["policy", "$a", [other], mine])),
        order(made([one], put), made([other], ["hash", "$a", mine], ["put", "$c", "x", theirs])),
        ask([["try", "get", "$a", mine], ["try", "hash", "$a", mine],
             ["try", "get", "$a", "_implicit_org_NobodyMSP"]], at=other),
        submit(transaction(dice.name(), [put], by=[one], client=one, transient="s"), at=one),
    ]  # fmt: skip


def _calls(dice: Dice) -> list[Step]:
    """Chaincode that calls chaincode."""
    nested = dice.script(3)
    event = ["event", "nested", "lost"]
    refuse = [["put", "$a", "refused"], ["answer", dice.one([400, 500, 399]), "no"]]
    calls: list[Any] = [
        [["call", "callee", [*nested, event]], ["put", "$b", "caller"], ["event", "outer", "kept"]],
        [["call", "callee", refuse], ["put", "$c", "after"]],
        [["call", "callee", [["call", "main", [["put", "$d", "back"]]]]]],
        [["try", "call", dice.one(["strict", "main", "nobody", "callee/ped", "callee/none",
                                   "callee:1", ""]), [["put", "$d", "x"]]]],
        [["call", "callee", [["put", "$a", "p", "all"], ["get", "$a", "all"]]]],
        [["call", "callee", [["fail", "inside"]]]],
    ]  # fmt: skip
    chosen = dice.some(calls, 4)
    system = ["try", "call-raw", dice.one(["qscc", "cscc", "_lifecycle", "lscc2"]),
              dice.one([["GetChainInfo", "ped"], ["GetChannels"], ["Nope"], []])]  # fmt: skip
    return [
        *(order(transaction(dice.name(), script, by=dice.by())) for script in chosen),
        ask([system], at=dice.organization()),
        submit(transaction(dice.name(), [["call", "strict", [["put", "$a", "all"]]]], by=[])),
    ]


def _conflicts(dice: Dice) -> list[Step]:
    """Reads that no longer hold: in one block, across blocks, private, of metadata."""
    key = dice.key()
    readers: list[Any] = [
        [["copy", key, "$r"]], [["get", "$none"], ["put", "$r", "x"]],
        [["get-metadata", key], ["put", "$r", "y"]], [["put", key, "blind"]],
        [["get", key, "all"], ["put", "$r", "z"]], [["hash", key, "all"], ["put", "$r", "h"]],
        [["many", [key, "$b"]], ["delete", "$r"]],
    ]  # fmt: skip
    writers: list[Any] = [
        [["put", key, "new"]], [["delete", key]], [["policy", key, ["Alpha"]]],
        [["put", "$none", "there"]], [["put", key, "new", "all"]], [["purge", key, "all"]],
        [["put", key, ""]], [["delete", "$none"]],
    ]  # fmt: skip
    held = [dice.name() for _ in range(3)]
    chosen = dice.some(readers, 3)

    def made(name: str, script: Any) -> Step:
        return transaction(name, script, by=["Alpha", "Beta"])

    both = [made(dice.name(), dice.one(writers)), *(made(dice.name(), e) for e in chosen[:2])]
    return [
        *(hold(made(name, script)) for name, script in zip(held, chosen, strict=True)),
        order(*policies_first([made(dice.name(), dice.one(writers)) for _ in range(2)])),
        order(*(release(name) for name in dice.shuffled(held))),
        order(*policies_first(both)),
        order(*policies_first(dice.shuffled(both_again(both, dice)))),
    ]


def both_again(transactions: list[Step], dice: Dice) -> list[Step]:
    """The same work once more, under new names."""
    return [each | {"name": dice.name()} for each in transactions]


def policies_first(transactions: list[Step]) -> list[Step]:
    """A policy for a key that an earlier transaction of the block deletes ends every peer of
    Fabric 3.1.5 (docs/differences.md)."""
    return sorted(transactions, key=lambda made: made["script"][0][0] != "policy")


def _phantoms(dice: Dice) -> list[Step]:
    """Ranges whose results have changed: added, deleted, rewritten, just outside."""
    size = dice.one([2, 30])
    start, end = dice.one([("$p", "$q"), ("$p", "$p001"), ("$", "$~"), ("$p000\x00", "$q")])
    readers: list[Any] = [
        [["range", start, end], ["put", "$r", "all"]],
        [["range", "$p", "$q", "", 1], ["put", "$s", "some"]],
        [["range", "$q", "$r"], ["put", "$u", "none"]],
    ]
    changes: list[Any] = [
        [["put", "$p0005", "between"]], [["delete", "$p000"]], [["put", "$p001", "again"]],
        [["put", "$q", "outside"]], [["put", "$q1", "first"]], [["policy", "$p001", ["Beta"]]],
        [["put", "$p", "bound"]],
    ]  # fmt: skip
    held = [dice.name() for _ in readers]

    def made(name: str, script: Any) -> Step:
        return transaction(name, script, by=["Alpha", "Gamma"])

    return [
        order(made(dice.name(), [["fill", "$p", size]])),
        *(hold(made(name, script)) for name, script in zip(held, readers, strict=True)),
        order(made(dice.name(), dice.one(changes))),
        order(*(release(name) for name in held)),
        order(made(dice.name(), dice.one(changes)), made(dice.name(), readers[0])),
    ]


def _endorsers(dice: Dice) -> list[Step]:
    """Too few, too many, the wrong ones; through the gateway with and without a plan."""
    steps = []
    for chaincode in ("main", "strict", "callee"):
        script = [["put", dice.key(), dice.value()]]
        if chaincode == "main" and dice.maybe(60):
            script.append(["put", dice.key(), "1", dice.one(COLLECTIONS)])
        made = [
            transaction(dice.name(), script, by=dice.anybody(), chaincode=chaincode)
            for _ in range(2)
        ]
        steps.append(order(*made))
    collection = dice.one(COLLECTIONS)
    return [
        *steps,
        submit(transaction(dice.name(), [["put", "$a", "1", collection]], by=[]), dice.one(TWO_AT)),
        submit(
            transaction(dice.name(), [["put", "$a", "1"]], by=dice.anybody(), chaincode="strict")
        ),
        submit(transaction(dice.name(), [["answer", dice.one([399, 400, 404, 500]), "no"]], by=[])),
        submit(transaction(dice.name(), dice.script(), by=[], client="Gamma"), at="Gamma"),
    ]


TWO_AT = ("Alpha", "Beta")


def _spoilt(dice: Dice) -> list[Step]:
    """Transactions with something wrong between sound ones."""
    steps = []
    for _ in range(5):
        flaws = dice.shuffled([*dice.some(list(envelopes.FLAWS), 2), ""])
        flaws.sort(key=lambda flaw: flaw in envelopes.LAST)
        made = [
            transaction(dice.name(), [["put", dice.key(), dice.value()]], by=dice.by(), flaw=flaw)
            for flaw in flaws
        ]
        steps.append(order(*made))
    return steps


def _duplicates(dice: Dice) -> list[Step]:
    """One transaction more than once: in a block, in the next, asked for again."""
    name, bad = dice.name(), dice.name()
    flaw = dice.one(["no-endorsements", "unreadable-results", "wrong-proposal-hash", "epoch",
                     "two-actions", "other-nonce"])  # fmt: skip
    return [
        hold(transaction(name, [["put", "$a", "once"]], by=dice.by())),
        hold(transaction(bad, [["put", "$b", "never"]], by=dice.by())),
        order(release(bad, flaw), release(name, dice.one(["again", "resigned"]))),
        order(release(name), release(bad)),
        order(release(name, flaw), transaction(dice.name(), [["get", "$a"]], by=dice.by())),
        order(transaction(dice.name(), [["put", "$c", "1"]], by=dice.by(), flaw="again")),
    ]


def _proposals(dice: Dice) -> list[Step]:
    """Proposals with something wrong, to endorsers and gateways."""
    flaws = dice.some(list(proposals.FLAWS), 10)
    script = [["get", "$a"]]
    steps = [ask(script, at=dice.organization(), client="Alpha", flaw=flaw) for flaw in flaws]
    steps += [evaluate(script, flaw=flaw) for flaw in dice.some(flaws, 3)]
    steps += [
        submit(transaction(dice.name(), script, by=[], flaw=flaw)) for flaw in dice.some(flaws, 2)
    ]
    return dice.shuffled(steps)


def _long(dice: Dice) -> list[Step]:
    """A call that lasts while a block is committed."""
    return [long("$a", dice.organization(), 0.8), ask([["get", "$a"]])]


def _big(dice: Dice) -> list[Step]:
    """A message that fills a block, one that is too much for any, and one that is not."""
    sizes = dice.shuffled([70_000, 140_000, 30_000])
    steps = [
        order(transaction(dice.name(), [["large", "$d", size]], by=dice.by())) for size in sizes
    ]
    small = transaction(dice.name(), [["put", "$a", "small"]], by=dice.by())
    big = transaction(dice.name(), [["large", "$c", 70_000]], by=dice.by())
    return [*steps, order(small, big, small | {"name": dice.name()})]


THEMES: Mapping[str, Theme] = {
    "state": _state, "private": _private, "policies": _policies, "conflicts": _conflicts,
    "spoilt": _spoilt, "forged": forgeries, "ranges": _ranges, "implicit": _implicit,
    "calls": _calls, "phantoms": _phantoms, "endorsers": _endorsers, "duplicates": _duplicates,
    "proposals": _proposals, "purge": _purge, "faults": faults.faults, "history": _history,
    "long": _long, "big": _big,
}  # fmt: skip
