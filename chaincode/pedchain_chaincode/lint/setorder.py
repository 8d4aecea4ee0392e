# SPDX-License-Identifier: Apache-2.0
"""PD009: an order that depends on the hash seed, found by following set-typed names."""

import ast
from collections.abc import Iterator

from pedchain_chaincode.lint.codes import Finding
from pedchain_chaincode.lint.source import Module

SET_TYPES = ("set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet")
SET_METHODS = ("union", "intersection", "difference", "symmetric_difference")
ORDERED_BY_CALL = (
    "list",
    "tuple",
    "enumerate",
    "iter",
    "map",
    "filter",
    "zip",
    "reversed",
    "deque",
    "islice",
    "chain",
)

_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module


def check(module: Module) -> Iterator[Finding]:
    """Every place where the order of a set can reach a result."""
    returning = _set_functions(module.tree)
    attributes = _set_attributes(module.tree)
    for scope in _scopes(module.tree):
        known = _Known(_set_names(scope, module.tree), returning, attributes)
        for node in _own_nodes(scope):
            for what in _uses(node, known):
                yield Finding(module.path, getattr(node, "lineno", 0), "PD009", what)


class _Known:
    """What is set-typed here: names, functions that return sets, attributes."""

    def __init__(
        self, names: dict[str, None], returning: dict[str, None], attributes: dict[str, None]
    ) -> None:
        self.names, self.returning, self.attributes = names, returning, attributes

    def is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name):
                return name in self.names
            case ast.Attribute(attr=attr):
                return attr in self.attributes
            case ast.Call(func=ast.Name(id=name)):
                return name in SET_TYPES or name in self.returning
            case ast.Call(func=ast.Attribute(attr=attr, value=value)):
                return attr in self.returning or (
                    attr in (*SET_METHODS, "copy") and self.is_set(value)
                )
            case ast.BinOp(
                op=ast.BitAnd() | ast.BitOr() | ast.Sub() | ast.BitXor(), left=left, right=right
            ):
                return any(self.is_set(side) or _is_keys(side) for side in (left, right))
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_set(body) or self.is_set(orelse)
        return False


def _is_keys(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("keys", "items")
        and not node.args
    )


def _uses(node: ast.AST, known: _Known) -> Iterator[str]:
    match node:
        case ast.For(iter=source) | ast.AsyncFor(iter=source) if known.is_set(source):
            yield f"for ... in {ast.unparse(source)}"
        case (
            ast.ListComp(generators=gens)
            | ast.DictComp(generators=gens)
            | ast.GeneratorExp(generators=gens)
        ):
            yield from (
                f"comprehension over {ast.unparse(g.iter)}" for g in gens if known.is_set(g.iter)
            )
        case ast.Starred(value=value) if known.is_set(value):
            yield f"*{ast.unparse(value)}"
        case ast.Assign(targets=[ast.Tuple()], value=value) if known.is_set(value):
            yield f"unpacking {ast.unparse(value)}"
        case ast.Call(func=ast.Name(id=name), args=args) if name in ORDERED_BY_CALL:
            yield from (f"{name}({ast.unparse(a)})" for a in args if known.is_set(a))
        case ast.Call(func=ast.Attribute(attr="popitem")):
            yield "popitem()"
        case ast.Call(func=ast.Attribute(attr="pop", value=value), args=[]) if known.is_set(value):
            yield f"{ast.unparse(value)}.pop()"
        case ast.Call(
            func=ast.Attribute(attr="join" | "extend" | "fromkeys"), args=[ast.expr() as arg, *_]
        ) if known.is_set(arg):
            yield f"{ast.unparse(node)}"


def _scopes(tree: ast.Module) -> Iterator[_Scope]:
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node


def _own_nodes(scope: _Scope) -> Iterator[ast.AST]:
    """The nodes of one scope, without those of functions inside it."""
    body = scope.body if isinstance(scope.body, list) else [scope.body]
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _annotated(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id=name):
            return name in SET_TYPES
        case ast.Attribute(attr=name):
            return name in SET_TYPES
        case ast.Subscript(value=value):
            return _annotated(value)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _annotated(left) or _annotated(right)
    return False


def _set_names(scope: _Scope, tree: ast.Module) -> dict[str, None]:
    """Names of this scope that hold sets; module-level ones hold everywhere."""
    names = _assigned(tree, {}) if scope is not tree else {}
    if not isinstance(scope, ast.Module):
        every = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
        names.update((a.arg, None) for a in every if _annotated(a.annotation))
    return _assigned(scope, names)


def _assigned(scope: _Scope, names: dict[str, None]) -> dict[str, None]:
    """`names` and every name assigned a set here; repeated until nothing new is found."""
    known = _Known(names, {}, {})
    while True:
        before = len(names)
        for node in _own_nodes(scope):
            match node:
                case ast.Assign(targets=targets, value=value) if known.is_set(value):
                    names.update((t.id, None) for t in targets if isinstance(t, ast.Name))
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if _annotated(
                    annotation
                ):
                    names[name] = None
                case ast.NamedExpr(target=ast.Name(id=name), value=value) if known.is_set(value):
                    names[name] = None
        if len(names) == before:
            return names


def _set_functions(tree: ast.Module) -> dict[str, None]:
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {f.name: None for f in functions if _annotated(f.returns)}


def _set_attributes(tree: ast.Module) -> dict[str, None]:
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.update(
                (s.target.id, None)
                for s in node.body
                if isinstance(s, ast.AnnAssign)
                and isinstance(s.target, ast.Name)
                and _annotated(s.annotation)
            )
    return found
