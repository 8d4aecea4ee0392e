# SPDX-License-Identifier: Apache-2.0
"""Hazards of contract methods and of what they call (PD013, PD014, PD016, PD017, PD019, PD020)."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache

from pedchain_chaincode.lint import names
from pedchain_chaincode.lint.codes import Finding
from pedchain_chaincode.lint.source import Module

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def check(modules: Sequence[Module]) -> Iterator[Finding]:
    """Every finding of this family; calls are followed over all `modules`."""
    functions = _by_name(modules)
    for module in modules:
        yield from _written_globals(module)
        yield from _keys(module)
        for contract in _contracts(module):
            yield from _own_state(module, contract)
            for method in _submits(contract):
                yield from _guard(module, method, functions)
                yield from _unchecked(module, method, functions)


def _functions(tree: ast.AST) -> Iterator[_Function]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def _by_name(modules: Sequence[Module]) -> dict[str, list[tuple[Module, _Function]]]:
    found: dict[str, list[tuple[Module, _Function]]] = {}
    for module in modules:
        for function in _functions(module.tree):
            found.setdefault(function.name, []).append((module, function))
    return found


def _contracts(module: Module) -> Iterator[ast.ClassDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and any(_last(base) == "Contract" for base in node.bases):
            yield node


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=func):
            return _last(func)
    return ""


def _submits(contract: ast.ClassDef) -> Iterator[_Function]:
    methods = (n for n in contract.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return (m for m in methods if any(_last(mark) == "submit" for mark in m.decorator_list))


@cache
def _calls(tree: ast.AST) -> tuple[ast.Call, ...]:
    """Every call below a node; kept, because each method's reach walks over most functions."""
    return tuple(n for n in ast.walk(tree) if isinstance(n, ast.Call))


def _written_globals(module: Module) -> Iterator[Finding]:
    """PD013: a list, dict or set of the module that some function changes."""
    mutable: dict[str, None] = {}
    for node in module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
            node.value,
            ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp | ast.Call,
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            mutable.update((t.id, None) for t in targets if isinstance(t, ast.Name))
    for function in _functions(module.tree):
        local = _local_names(function)
        for inner in ast.walk(function):
            name = _written_name(inner)
            if name in mutable and name not in local:
                yield Finding(module.path, getattr(inner, "lineno", 0), "PD013", str(name))


def _local_names(function: _Function) -> dict[str, None]:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    found = {a.arg: None for a in every}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
    return found


def _written_name(node: ast.AST) -> str | None:
    """The plain name whose object this node changes in place."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if (
            attr in names.MUTATORS
        ):
            return name
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
    return None


def _own_state(module: Module, contract: ast.ClassDef) -> Iterator[Finding]:
    """PD014: anything kept in the contract object or its class between calls."""
    owners = ("self", "cls", contract.name)
    for method in _functions(contract):
        for node in ast.walk(method):
            kept = _kept(node, owners)
            if kept is not None:
                yield Finding(module.path, getattr(node, "lineno", 0), "PD014", kept)


def _kept(node: ast.AST, owners: tuple[str, ...]) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
            return ast.unparse(node) if owner in owners else None
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=owner)), ctx=ast.Store()):
            return ast.unparse(node) if owner in owners else None
        case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=owner)), attr=attr)):
            return ast.unparse(node) if owner in owners and attr in names.MUTATORS else None
    return None


def _keys(module: Module) -> Iterator[Finding]:
    """PD016 and PD017, function by function."""
    for function in _functions(module.tree):
        put: dict[str, int] = {}
        glued = _glued_names(function)
        for call in sorted(_calls(function), key=lambda c: (c.lineno, c.col_offset)):
            access = _access(call)
            if access is None:
                continue
            writes, keys = access
            if any(_is_glued(key) or _name_of(key) in glued for key in keys):
                yield Finding(module.path, call.lineno, "PD016", ast.unparse(call.func))
            text = ", ".join(ast.unparse(key) for key in keys)
            if writes:
                put.setdefault(text, call.lineno)
            elif put.get(text, call.lineno) < call.lineno:
                yield Finding(module.path, call.lineno, "PD017", text)


def _access(call: ast.Call) -> tuple[bool, list[ast.expr]] | None:
    """Whether a call writes or reads state, and the parts of its key; None for other calls.

    The stub's own methods, the helpers `load(stub, key)` and `save(stub, key, document)`, and a
    vault's `load(*parts)` and `save((parts), document)`.
    """
    name, args = _last(call.func), call.args
    if name in names.STATE_READS + names.STATE_WRITES:
        place = 1 if "private" in name else 0  # the collection comes first
        return (name in names.STATE_WRITES, [args[place]]) if len(args) > place else None
    if name not in names.HELPERS or len(args) == 0:
        return None
    if isinstance(call.func, ast.Name):
        return (name == "save", [args[1]]) if len(args) > 1 else None
    if name == "save":
        return True, args[0].elts if isinstance(args[0], ast.Tuple) else [args[0]]
    return False, args


def _name_of(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def _is_glued(node: ast.expr) -> bool:
    match node:
        case ast.JoinedStr():
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="join" | "format")):
            return True
    return False


def _glued_names(function: _Function) -> dict[str, None]:
    found: dict[str, None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_glued(node.value):
            found.update((t.id, None) for t in node.targets if isinstance(t, ast.Name))
    return found


def _guard(
    module: Module, method: _Function, functions: dict[str, list[tuple[Module, _Function]]]
) -> Iterator[Finding]:
    """PD019: the decorator names a guard; the body awaits guards.<name>; that reads state."""
    declared = [
        d for d in method.decorator_list if isinstance(d, ast.Call) and _last(d) == "guarded"
    ]
    guards = [
        a.value
        for d in declared
        for a in d.args
        if isinstance(a, ast.Constant) and isinstance(a.value, str)
    ]
    if not guards:
        yield Finding(module.path, method.lineno, "PD019", f"{method.name} declares no guard")
    called = {_guard_call(call): None for call in _calls(method)}
    for guard in guards:
        if guard not in called:
            yield Finding(
                module.path, method.lineno, "PD019", f"{method.name} never calls guards.{guard}"
            )
        elif not any(_reads(function, functions) for _, function in functions.get(guard, [])):
            yield Finding(module.path, method.lineno, "PD019", f"guards.{guard} reads no state")


def _guard_call(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(value=ast.Name(id="guards"), attr=name):
            return name
    return None


def _reads(function: _Function, functions: dict[str, list[tuple[Module, _Function]]]) -> bool:
    reached = [function, *(f for _, f in _reached(function, functions))]
    reads = (*names.STATE_READS, "range", "partial_composite")
    return any(
        _last(call.func) in reads and isinstance(call.func, ast.Attribute)
        for f in reached
        for call in _calls(f)
    )


def _unchecked(
    module: Module, method: _Function, functions: dict[str, list[tuple[Module, _Function]]]
) -> Iterator[Finding]:
    """PD020: an unchecked read in a submit method or in anything it calls by name."""
    for where, function in [(module, method), *_reached(method, functions)]:
        for call in _calls(function):
            if (
                isinstance(call.func, ast.Attribute)
                and call.func.attr in names.UNCHECKED_READS
                and _on_stub(call.func.value)
            ):
                yield Finding(
                    where.path, call.lineno, "PD020", f"{ast.unparse(call.func)} in {method.name}"
                )


def _on_stub(node: ast.expr) -> bool:
    return _last(node) == "stub"


def _reached(
    function: _Function, functions: dict[str, list[tuple[Module, _Function]]]
) -> list[tuple[Module, _Function]]:
    """Functions called by name, directly or not; names are not resolved, so rather too many."""
    seen: dict[str, None] = {}
    waiting = [function]
    found: list[tuple[Module, _Function]] = []
    while waiting:
        for call in _calls(waiting.pop()):
            name = _last(call.func)
            if name in functions and name not in seen:
                seen[name] = None
                found.extend(functions[name])
                waiting.extend(f for _, f in functions[name])
    return found
