# SPDX-License-Identifier: Apache-2.0
"""What the determinism lint forbids: one code per hazard, each with the way out.

Two organisations run the same contract in two processes and compare bytes; whatever may differ
between processes, machines or moments must not reach a write set, a response or an event.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One hazard: a stable code, what is wrong, and what to write instead."""

    code: str
    wrong: str
    instead: str


RULES = (
    Rule("PD001", "import outside the allow-list", "use domain, the shim's API or a listed module"),
    Rule("PD002", "float or complex literal", "integers: Wh, ppm, micrograms (rules N1)"),
    Rule("PD003", "true division or negative power", "floor division by a positive divisor"),
    Rule("PD004", "a call that makes or rounds floats", "integer arithmetic of domain.numbers"),
    Rule("PD005", "a clock", "a time that stands on the ledger, or the transaction's own claim"),
    Rule("PD006", "randomness", "derive salts from bytes in the transient map by HMAC"),
    Rule("PD007", "environment, files, streams or network", "pass it as an argument or a document"),
    Rule("PD008", "hash() or id()", "sha256 of canonical bytes, or the key itself"),
    Rule("PD009", "the order of a set", "sorted(...) first, or keep a dict or a tuple"),
    Rule("PD010", "json or a lenient reader outside the codecs", "domain.canonical, domain.text"),
    Rule(
        "PD011", "calendar or time-zone library", "a row of the calendar on the ledger (rules T1)"
    ),
    Rule("PD012", "global or nonlocal", "return the value"),
    Rule("PD013", "a module-level object that is written", "a tuple, or state on the ledger"),
    Rule("PD014", "a contract keeps state in itself", "state on the ledger, or a local name"),
    Rule("PD015", "threads or tasks", "await one by one; ctx.in_threads for pure functions"),
    Rule("PD016", "a state key glued from text", "a function of the keys module (composite keys)"),
    Rule("PD017", "a key read after it was put", "keep the value: a read never sees own writes"),
    Rule(
        "PD018", "bare except or except Exception", "name the error; a library's failure is a 500"
    ),
    Rule(
        "PD019", "a submit method that does not read its guard", "@guarded(name), await guards.name"
    ),
    Rule(
        "PD020",
        "history, rich query, pages or private range while writing",
        "ranges over public markers, private documents by explicit key",
    ),
    Rule("PD021", "code made at run time", "plain calls"),
)

BY_CODE = {rule.code: rule for rule in RULES}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place where a rule is broken; ordered by file and line."""

    path: str
    line: int
    code: str
    what: str

    def __str__(self) -> str:
        rule = BY_CODE[self.code]
        return f"{self.path}:{self.line}: {self.code} {rule.wrong}: {self.what} -> {rule.instead}"
