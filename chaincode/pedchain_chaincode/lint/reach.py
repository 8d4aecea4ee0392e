# SPDX-License-Identifier: Apache-2.0
"""Which modules a contract reaches: its imports, theirs, and so on, inside our packages."""

from collections.abc import Iterable
from dataclasses import dataclass

from pedchain_chaincode.lint.source import Module, Sources, imports

EXEMPT = "pedchain_fabric"
"""The runtime: it speaks gRPC, so it has clocks and sockets; it is listed, not linted."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Modules to lint, modules that are only listed, names that could not be found."""

    linted: tuple[Module, ...]
    listed: tuple[str, ...]
    missing: tuple[str, ...]


def reach(sources: Sources, roots: Iterable[str], ours: Iterable[str]) -> Reach:
    """The closure of imports from `roots` over the top-level packages named in `ours`."""
    own = tuple(ours)
    waiting = list(roots)
    linted: dict[str, Module] = {}
    listed: dict[str, None] = {}
    missing: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name in linted or name in listed or name in missing:
            continue
        if name.split(".")[0] == EXEMPT:
            listed[name] = None
            continue
        module = sources.load(name)
        if module is None:
            missing[name] = None
            continue
        linted[name] = module
        waiting.extend(_reached(sources, module, own))
    return Reach(
        tuple(linted[name] for name in sorted(linted)),
        tuple(sorted(listed)),
        tuple(sorted(missing)),
    )


def _reached(sources: Sources, module: Module, own: tuple[str, ...]) -> list[str]:
    """Modules this one imports, and the packages around them (their __init__ runs too)."""
    found: list[str] = []
    for _, base, name in imports(module):
        top = base.split(".")[0]
        if top not in own and top != EXEMPT:
            continue
        parts = base.split(".")
        found.extend(".".join(parts[:i]) for i in range(1, len(parts) + 1))
        if name is not None and top != EXEMPT and sources.load(f"{base}.{name}"):
            found.append(f"{base}.{name}")
    return found
