# SPDX-License-Identifier: Apache-2.0
"""Writes the tables that are made from the code; with --check says which are out of date.

docs/faults.md   docs/faults.toml and the tests marked with `fault`
docs/parity.md   docs/parity.toml and the tests marked with `parity`
docs/completeness.md  docs/completeness.toml and the tests marked with `complete`
docs/interop.md  tests/interop/behaviours.toml and what runs of tests/interop have shown
docs/access.md   the contracts and their access table
docs/api.md      the gateway's application and its access table
README.md        docs/demo.txt, docs/status.toml, tests/native.json and tests/docker.json
Also checks that relative links in all Markdown files lead somewhere.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import evidence
from tests.conformance.facts import key
from tests.conformance.steps import STEPS
from tests.interop import table
from tools import accesstable, apitable

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
REPLAY = "conformance/test_shim.py::test_a_network_answers_as_recorded"
AREAS = {
    "client": "Gateway client 1.12",
    "shim": "Shim 2.3",
    "cid": "Shim 2.3, package cid",
    "statebased": "Shim 2.3, package statebased",
}


def marked(mark: str) -> dict[str, list[str]]:
    """Tests that carry `pytest.mark.<mark>(row, ...)`: row -> names as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node, rows in marked_functions(ast.parse(path.read_text()), mark):
            for row in rows:
                found.setdefault(row, []).append(f"{path.relative_to(ROOT / 'tests')}::{node}")
    return found


def marked_functions(tree: ast.Module, mark: str) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            rows = [row for decorator in node.decorator_list for row in rows_of(decorator, mark)]
            if rows:
                yield node.name, rows


def rows_of(decorator: ast.expr, mark: str) -> list[str]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{mark}":
        return [str(ast.literal_eval(argument)) for argument in decorator.args]
    return []


def rows_with_tests(name: str, mark: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """The rows of docs/<name>.toml with the tests that carry the mark, and those that the row
    names itself: by `proof` where the mark cannot be set, by `steps` of tests/conformance."""
    rows = tomllib.loads((DOCS / f"{name}.toml").read_text())
    tests = marked(mark)
    if unknown := sorted(set(tests) - set(rows)):
        raise SystemExit(f"docs: tests are marked with unknown {mark} rows {unknown}")
    for row, text in rows.items():
        named = [*([text["proof"]] if "proof" in text else []), *steps(text.get("steps", []))]
        if lost := [one for one in named if not is_there(one)]:
            raise SystemExit(f"docs: {name} row {row} names {lost}, which is not there")
        yield row, text, [*tests.get(row, []), *named]


def rows_with_proofs(name: str, mark: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """The same, with the tests as a cell of a table."""
    for row, text, tests in rows_with_tests(name, mark):
        yield row, text, cell(tests) or "not yet"


def cell(tests: list[str]) -> str:
    return "<br>".join(f"`{one}`" for one in tests)


def steps(names: list[str]) -> list[str]:
    """The recorded steps of these names, as the parameters of the test that replays them."""
    if unknown := set(names) - {key(step) for step in STEPS}:
        raise SystemExit(f"docs: no recorded steps {sorted(unknown)}")
    parameters = ", ".join(names)
    return [f"{REPLAY}[{parameters}]"] if names else []


def is_there(proof: str) -> bool:
    """Whether a `path` or `path::test` below tests/ exists."""
    path, _, test = proof.partition("::")
    found = ROOT / "tests" / path
    return found.exists() and (not test or f"def {test.partition('[')[0]}(" in found.read_text())


def faults() -> str:
    lines = [
        "# The fault matrix",
        "",
        "Made by `make docs` from docs/faults.toml and the tests' marks; a row without a test is "
        "not claimed.",
        "",
        "| row | injected | must happen | proven by |",
        "|---|---|---|---|",
    ]
    for row, text, proofs in rows_with_proofs("faults", "fault"):
        lines.append(f"| {row} | {text['inject']} | {text['expect']} | {proofs} |")
    return "\n".join(lines) + "\n"


def parity() -> str:
    lines = [
        "# What the embedded network claims to do as Fabric",
        "",
        "Each row has a test that runs on the embedded network and on real Fabric, or replays what "
        "real Fabric answered; what has no row is not claimed. What is known to differ: "
        "[differences.md](differences.md). Made by `make docs` from docs/parity.toml and the "
        "tests' marks.",
        "",
        "| as Fabric | proven by |",
        "|---|---|",
    ]
    for _, text, proofs in rows_with_proofs("parity", "parity"):
        lines.append(f"| {text['behaviour']} | {proofs} |")
    return "\n".join(lines) + "\n"


def completeness() -> str:
    rows = list(rows_with_tests("completeness", "complete"))
    missing, beside = len(missing_features()), sum(map(is_beside, (text for _, text, _ in rows)))
    shown = sum(bool(tests) for _, _, tests in rows)
    differs = sum(bool(tests) and "note" in text for _, text, tests in rows)
    lines = [
        "# What the official Go client and shim offer, and what stands for it here",
        "",
        f"{len(rows)} rows: {shown} with a test, {differs} of them not quite as in Go, {missing} "
        f"missing, {beside} not applicable. Made by `make docs` from docs/completeness.toml and "
        "the tests' marks. What is named below test_a_network_answers_as_recorded was recorded on "
        "real Fabric and is replayed on the embedded network.",
    ]
    for area, title in AREAS.items():
        lines += ["", f"## {title}", "", "| Go | here | limits | shown by |", "|---|---|---|---|"]
        lines += [
            f"| {text['feature']} | {here(text, bool(tests))} | {text['limit']} "
            f"| {cell(tests) or unshown(text)} |"
            for _, text, tests in rows
            if text["area"] == area
        ]
    return "\n".join(lines) + "\n"


def is_beside(text: dict[str, str]) -> bool:
    """Whether a feature of Go's is none for those we write for; its note says why."""
    return text.get("note", "").startswith("not applicable:")


def unshown(text: dict[str, str]) -> str:
    return "not applicable" if is_beside(text) else "**missing**"


def missing_features() -> list[str]:
    """Features of the Go client and shim that nothing here stands for."""
    rows = rows_with_tests("completeness", "complete")
    return [text["feature"] for _, text, tests in rows if not tests and not is_beside(text)]


def here(text: dict[str, str], shown: bool) -> str:
    """Our name for a feature, and in what it differs or why it is missing."""
    if shown and "note" in text and not text["note"].startswith("differs:"):
        raise SystemExit(f"docs: {text['feature']} has a test and a note of what is missing")
    return "<br>".join(
        part for part in (text["here"], text.get("note", "")) if part not in ("", "-")
    )


def status() -> str:
    """The README's table: what runs on the embedded network, and what ran on real Fabric when."""
    rows = tomllib.loads((DOCS / "status.toml").read_text())["row"]
    runs = [evidence.read(ROOT, runtime) for runtime in ("native", "docker")]
    lines = ["| | embedded | Fabric native | docker |", "|---|---|---|---|"]
    for row in rows:
        tests = row.get("tests", "")
        cells = [passed(run, tests) if run and tests else "not yet" for run in runs]
        lines.append(f"| {row['what']} | {'yes' if tests else 'not yet'} | {' | '.join(cells)} |")
    return "\n".join([*lines, *gaps()])


def gaps() -> Iterator[str]:
    """The status table's last rows: what the tables of completeness and interop do not show."""
    features = told(missing_features())
    yield f"| missing of the [Go client and shim](docs/completeness.md) | {features} | | |"
    seen = [told(table.gaps(runtime)) for runtime in table.RUNTIMES]
    yield f"| not shown of [interop](docs/interop.md) | {' | '.join(seen)} | |"


def told(found: list[str] | None) -> str:
    return "not run" if found is None else "; ".join(found) or "nothing"


def passed(run: dict[str, Any], tests: str) -> str:
    """How many of a capability's tests passed in a recorded run on real Fabric."""
    ran = [outcome for name, outcome in run["tests"].items() if name.startswith(tests)]
    good = sum(outcome == "passed" for outcome in ran)
    return f"{run['fabric']}: {good} of {len(ran)} tests passed" if ran else "not yet"


def readme() -> str:
    """The README with its generated parts: the demo's last lines and the status table."""
    text = (ROOT / "README.md").read_text()
    demo = (DOCS / "demo.txt").read_text().rstrip()
    for name, part in (("demo", f"```\n{demo}\n```"), ("status", status())):
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"\n<!-- /{name} -->")
        text = before + opening + part + closing + after
    return text


PAGES = {
    "docs/faults.md": faults,
    "docs/parity.md": parity,
    "docs/completeness.md": completeness,
    "docs/interop.md": table.page,
    "docs/access.md": accesstable.page,
    "docs/api.md": apitable.page,
    "README.md": readme,
}


def broken_links() -> list[str]:
    """Relative links of the Markdown files that lead nowhere."""
    broken = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" in target or (page.parent / target).exists():
                continue
            broken.append(f"{page.relative_to(ROOT)}: {target}")
    return broken


def main() -> int:
    check = "--check" in sys.argv
    faulty = [f"broken link in {link}" for link in broken_links()]
    for name, make in PAGES.items():
        path, text = ROOT / name, make()
        if check and (not path.exists() or path.read_text() != text):
            faulty.append(f"{name} is out of date: make docs")
        elif not check:
            path.write_text(text)
    print("\n".join(faulty) if faulty else "docs: up to date")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
