# SPDX-License-Identifier: Apache-2.0
"""Chaincode that errs, hangs, hangs up or breaks the protocol."""

from tests.differential.dice import Dice
from tests.differential.steps import Step, ask, evaluate, order, transaction

_GARBAGE = [
    "GET_STATE", "PUT_STATE", "DEL_STATE", "GET_STATE_BY_RANGE", "GET_HISTORY_FOR_KEY",
    "QUERY_STATE_NEXT", "QUERY_STATE_CLOSE", "GET_STATE_METADATA", "PUT_STATE_METADATA",
    "GET_PRIVATE_DATA_HASH", "PURGE_PRIVATE_DATA", "WRITE_BATCH_STATE", "GET_STATE_MULTIPLE",
    "INVOKE_CHAINCODE",
]  # fmt: skip


def faults(dice: Dice) -> list[Step]:
    """Some of what chaincode can do wrong, and work that goes on beside it."""
    at = dice.organization()
    answers = [
        ["answer", status, text, payload]
        for status in (0, 200, 399, 400, 404, 499, 500, 999, -1)
        for text, payload in (("", ""), ("says why", "p"))
    ]
    batch = [
        ["PUT_STATE", "$a", "batched"], ["DEL_STATE", "$b"], ["PUT_STATE", "$c", "p", "all"],
        ["PURGE_PRIVATE_DATA", "$d", "", "all"], ["PUT_STATE_METADATA", "$a", ["Alpha"]],
        ["PUT_STATE", "", "no key"], ["PUT_STATE", "$a", "x", "nowhere"],
    ]  # fmt: skip
    steps = [
        ask([["put", "$a", "1"], dice.one(answers)], at=at),
        evaluate([["event", "e", "1"], dice.one(answers)], at=at),
        ask([["put", "$a", "1"], ["fail", "on purpose"]], at=at),
        evaluate([["fail", "on purpose"]], at=at),
        ask([["try", "put", "", "no key"], ["try", "get", ""], ["try", "delete", ""]], at=at),
        ask([["try", "put", "", "x", "all"], ["try", "purge", "", "all"],
             ["try", "hash", "", "all"]], at=at),
        ask([["try", "metadata", "$a", "other", "kept"], ["try", "metadata", "", "m", "x"],
             ["try", "rich", "{}"], ["try", "history", ""]], at=at),
        order(transaction(dice.name(), [["batch", dice.some(batch, 3)]], by=["Alpha", "Beta"])),
        order(transaction(dice.name(), [["metadata", "$a", "other", "kept"], ["put", "$a", "m"]],
                          by=dice.by())),
        order(transaction(dice.name(), [["event", dice.one(["", "e", "é"]), "text"],
                                        ["foreign-event", "f", "callee"]], by=dice.by())),
        ask([["put", "$a", "1"], ["put", "$a", "2"], ["delete", "$b"], ["put", "$b", "3"],
             ["get", "$a"], ["get", "$b"]], at=at),
        evaluate([["sleep", 0.9]], at=at) | {"patience": 0.4},
        evaluate([["sleep", 0.2], ["get", "$a"]], at=at),
        ask([["answer", 200, "", "not json"]], at=at),
    ]  # fmt: skip
    return [
        *dice.shuffled(dice.some(steps, 7)),
        ask([["garbage", dice.one(_GARBAGE)]], at=at) | {"only": "status"},
        *_disconnecting(dice, at),
    ]


def _disconnecting(dice: Dice, at: str) -> list[Step]:
    """The stream ends within a call; the next call has a new one."""
    if dice.maybe(50):
        return []
    return [ask([["hang-up"]], at=at), ask([["get", "$a"]], at=at) | {"again": True}]
