# SPDX-License-Identifier: Apache-2.0
"""Python modules as text: found by name without being imported, parsed once."""

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed module. `package` is the name relative imports start from."""

    name: str
    path: str
    package: str
    tree: ast.Module


class Sources:
    """Finds the modules of a few top-level packages.

    `roots` names folders of packages that are not installed (planted faults in tests); any other
    top-level package is looked up among the installed ones, without running its code.
    """

    def __init__(self, roots: Mapping[str, Path] | None = None) -> None:
        self._roots = dict(roots or {})

    def _folder(self, top: str) -> Path | None:
        if top not in self._roots:
            spec = importlib.util.find_spec(top)
            if spec is None or not spec.has_location:
                return None
            # Of a module that is no package this is the place of a folder that is not there.
            locations = spec.submodule_search_locations or [str(spec.origin).removesuffix(".py")]
            self._roots[top] = Path(next(iter(locations)))
        return self._roots[top]

    def below(self, name: str) -> tuple[str, ...]:
        """The module of that name and, if it is a package, every module in it."""
        module = self.load(name)
        if module is None or Path(module.path).name != "__init__.py":
            return (name,)
        folder = Path(module.path).parent
        inside = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py"))
        names = {".".join((name, *path.parts)).removesuffix(".__init__") for path in inside}
        return tuple(sorted(names))

    def load(self, name: str) -> Module | None:
        """The module of that dotted name, or None if there is no such file."""
        top, *rest = name.split(".")
        folder = self._folder(top)
        if folder is None:
            return None
        base = folder.joinpath(*rest)
        for path, package in (
            (base / "__init__.py", name),
            (base.with_suffix(".py"), ".".join([top, *rest[:-1]])),
        ):
            if path.is_file():
                tree = ast.parse(path.read_text("utf-8"), str(path))
                return Module(name, str(path), package, tree)
        return None


def imports(module: Module) -> Iterator[tuple[int, str, str | None]]:
    """Every import as (line, absolute module, imported name or None)."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.package.split(".")
                parent = parts[: len(parts) - (node.level - 1)]
                base = ".".join([*parent, base] if base else parent)
            for alias in node.names:
                yield node.lineno, base, alias.name
