# SPDX-License-Identifier: Apache-2.0
"""Do pyproject files, imports and requirements.lock agree? Asks nothing but files.

Every dependency of a member must be in the lock at a version that satisfies it, and every
package that a member imports must be named by that member itself.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def locked() -> dict[str, list[str]]:
    """Name -> versions of every package in the lock: more than one where Pythons differ."""
    pins = re.findall(
        r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)",
        (ROOT / "requirements.lock").read_text(),
        re.MULTILINE,
    )
    found: dict[str, list[str]] = {}
    for name, version in pins:
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def members() -> dict[str, Path]:
    """Name -> folder of every member, the workspace itself included."""
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = [ROOT, *(ROOT / name for name in workspace["tool"]["uv"]["workspace"]["members"])]
    return {
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"]: folder
        for folder in folders
    }


def requirements(folder: Path) -> list[Requirement]:
    """Every requirement of a member: base, extras, groups."""
    document = tomllib.loads((folder / "pyproject.toml").read_text())
    project = document["project"]
    texts = [
        *project["dependencies"],
        *(text for extra in project.get("optional-dependencies", {}).values() for text in extra),
        *(text for group in document.get("dependency-groups", {}).values() for text in group),
    ]
    return [Requirement(text) for text in texts]


def unlocked(ours: Mapping[str, Path]) -> Iterator[str]:
    """Requirements that the lock does not satisfy."""
    pins = locked()
    for member, folder in ours.items():
        for requirement in requirements(folder):
            name = canonicalize_name(requirement.name)
            if name in ours:
                continue
            if name not in pins:
                yield f"{member}: {requirement} is not in requirements.lock: make lock"
                continue
            for version in pins[name]:
                if version not in requirement.specifier:
                    yield f"{member}: {requirement}, but {version} is locked: make lock"


def undeclared(ours: Mapping[str, Path]) -> Iterator[str]:
    """Imports of packages that the importing member does not name."""
    distributions = {**packages_distributions(), **modules(ours)}
    for member, folder in ours.items():
        if folder == ROOT:
            continue
        named = {canonicalize_name(one.name) for one in requirements(folder)} | {member}
        for module, path in sorted(imported(folder).items()):
            providers = {canonicalize_name(name) for name in distributions.get(module, ())}
            if not providers & named:
                yield f"{member}: {path.relative_to(ROOT)} imports {module}, which is not named"


def modules(ours: Mapping[str, Path]) -> dict[str, list[str]]:
    """The members' own modules; editable installations do not tell theirs."""
    return {
        package.parent.name: [member]
        for member, folder in ours.items()
        if folder != ROOT
        for package in folder.glob("*/__init__.py")
    }


def imported(folder: Path) -> dict[str, Path]:
    """Top-level modules outside the standard library -> a file that imports them."""
    found: dict[str, Path] = {}
    for package in folder.glob("*/__init__.py"):
        for path in package.parent.rglob("*.py"):
            for name in names(ast.parse(path.read_text())):
                if name not in sys.stdlib_module_names:
                    found.setdefault(name, path)
    return found


def names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def main() -> int:
    ours = members()
    faults = [*unlocked(ours), *undeclared(ours)]
    print("\n".join(faults) if faults else "lock: nothing has drifted")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
