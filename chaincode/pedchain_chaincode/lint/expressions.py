# SPDX-License-Identifier: Apache-2.0
"""Hazards a single import, expression or statement shows (PD001..PD008, PD010..PD012, PD015,
PD018, PD021)."""

import ast
from collections.abc import Iterator, Sequence

from pedchain_chaincode.lint import names
from pedchain_chaincode.lint.codes import Finding
from pedchain_chaincode.lint.source import Module, imports


def check(module: Module, linted: Sequence[str] = ()) -> Iterator[Finding]:
    """Every finding of this family in one module; packages in `linted` may be imported, because
    the same rules hold in them."""
    yield from _imports(module, linted)
    for node in ast.walk(module.tree):
        for code, what in _node(node):
            if code == "PD010" and what in names.CODECS.get(module.name, ()):
                continue
            yield Finding(module.path, getattr(node, "lineno", 0), code, what)


def _imports(module: Module, linted: Sequence[str]) -> Iterator[Finding]:
    for line, base, name in imports(module):
        code = _import_code(module, base, name)
        if code and base.split(".")[0] not in linted:
            what = base if name is None else f"{base}.{name}"
            yield Finding(module.path, line, code, what)


def _import_code(module: Module, base: str, name: str | None) -> str | None:
    top = base.split(".")[0]
    if top in names.CODECS.get(module.name, ()):
        return None
    if name is not None and name in names.ALLOWED_NAMES.get(base, ()):
        return None
    if _below(f"{base}.{name}", "pedchain_domain.sim") or _below(base, "pedchain_domain.sim"):
        return "PD001"
    for code, tops in names.FORBIDDEN.items():
        if top in tops:
            return code
    if any(_below(base, allowed) for allowed in names.ALLOWED):
        return None
    if name is not None and any(_below(f"{base}.{name}", allowed) for allowed in names.ALLOWED):
        return None
    return "PD001"


def _below(name: str, root: str) -> bool:
    return name == root or name.startswith(root + ".")


def _node(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Constant(value=float() | complex() as value):
            yield "PD002", repr(value)
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "PD003", "/"
        case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
            yield "PD003", "** -n"
        case ast.Global(names=listed) | ast.Nonlocal(names=listed):
            yield "PD012", ", ".join(listed)
        case ast.ExceptHandler(type=caught):
            if caught is None or _catches_all(caught):
                yield "PD018", "bare" if caught is None else ast.unparse(caught)
        case ast.Call():
            yield from _call(node)
        case ast.Name(id="float" | "complex" as name, ctx=ast.Load()):
            yield "PD004", name


def _catches_all(caught: ast.expr) -> bool:
    listed = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(e, ast.Name) and e.id in ("Exception", "BaseException") for e in listed)


def _call(node: ast.Call) -> Iterator[tuple[str, str]]:
    match node.func:
        case ast.Name(id=name):
            yield from _called_name(name, len(node.args))
        case ast.Attribute(attr=attr, value=value):
            yield from _called_attribute(attr, value)


def _called_name(name: str, arguments: int) -> Iterator[tuple[str, str]]:
    for code, calls in names.FORBIDDEN_CALLS.items():
        if name in calls and name not in ("float", "complex"):
            yield code, f"{name}()"
    if name == "pow" and arguments == 2:
        yield "PD004", "pow(): two arguments may give a float"
    if name in names.TASK_CALLS:
        yield "PD015", f"{name}()"


def _called_attribute(attr: str, value: ast.expr) -> Iterator[tuple[str, str]]:
    for code, calls in names.FORBIDDEN_METHODS.items():
        if attr in calls:
            yield code, f".{attr}()"
    if attr in names.LENIENT_READERS:
        yield "PD010", attr
    if isinstance(value, ast.Name) and value.id == "object" and attr == "__setattr__":
        yield "PD021", "object.__setattr__"
