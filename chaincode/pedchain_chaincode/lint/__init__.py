# SPDX-License-Identifier: Apache-2.0
"""The determinism lint: an AST check of the contracts and of every module they reach.

It refuses what may differ between two processes that run the same transaction; `codes` lists the
hazards. It is one half of the proof: the other is the same script run under several hash seeds.
"""

from collections.abc import Sequence

from pedchain_chaincode.lint import contracts, expressions, names, setorder
from pedchain_chaincode.lint.codes import Finding
from pedchain_chaincode.lint.reach import Reach, reach
from pedchain_chaincode.lint.source import Sources

CONTRACTS = (
    "pedchain_chaincode.registry.contract",
    "pedchain_chaincode.metering.contract",
    "pedchain_chaincode.metering.membership",
    "pedchain_chaincode.origin.contract",
    "pedchain_chaincode.privacy.contract",
    "pedchain_chaincode.flexibility.contract",
    "pedchain_chaincode.flexibility.ordering",
    "pedchain_chaincode.settlement.clock",
    "pedchain_chaincode.settlement.tokens",
    "pedchain_chaincode.settlement.market",
    "pedchain_chaincode.settlement.sharing",
)


def run(
    roots: Sequence[str] = CONTRACTS,
    *,
    sources: Sources | None = None,
    ours: Sequence[str] = names.OURS,
) -> tuple[Reach, tuple[Finding, ...]]:
    """What the modules named in `roots` reach, and every finding in it, by file and line."""
    found = reach(sources or Sources(), roots, ours)
    findings: dict[Finding, None] = {}
    # Our own packages are allowed module by module: some of them are not for contracts.
    others = [package for package in ours if package not in names.OURS]
    for module in found.linted:
        findings.update((f, None) for f in expressions.check(module, others))
        findings.update((f, None) for f in setorder.check(module))
    findings.update((f, None) for f in contracts.check(found.linted))
    return found, tuple(sorted(findings))
