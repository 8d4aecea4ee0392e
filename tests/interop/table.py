# SPDX-License-Identifier: Apache-2.0
"""The table of behaviours (behaviours.toml), and what runs have shown of them (evidence.json).

`record` is called at the end of a run with `--evidence`, for the runtime it ran on; `page` writes
docs/interop.md.
"""

import datetime
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
EVIDENCE: Final = FOLDER / "evidence.json"
RUNTIMES: Final = ("embedded", "native")
_SCHEMA: Final = "interop/1"
_BY_SHIM: Final = "contracts"  # the one group whose columns are contracts instead of clients
_NAMES: Final = {
    "python": "our client",
    "node": "Node client",
    "both": "both clients",
    "hfc": "hfc",
    "ours": "our shim",
    "fcp": "fabric-chaincode-python",
}

Outcomes = Mapping[str, Mapping[str, str]]
"""By row, by `client/shim`: what came of its tests, the worst of them."""


def rows() -> dict[str, dict[str, str]]:
    """The behaviours by id."""
    found: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "behaviours.toml").read_text())
    return found


def marked() -> set[str]:
    """The rows that tests name."""
    pattern = re.compile(r'@pytest\.mark\.interop\("([^"]+)"\)')
    return {row for path in FOLDER.glob("test_*.py") for row in pattern.findall(path.read_text())}


def record(runtime: str, outcomes: Outcomes, fabric: str) -> None:
    """Replace what is known of a runtime. `fabric` is its version, empty for the embedded one."""
    known = evidence()
    known[runtime] = {
        "at": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "fabric": fabric,
        "rows": {row: dict(sorted(outcomes[row].items())) for row in sorted(outcomes)},
    }
    EVIDENCE.write_text(json.dumps({"schema": _SCHEMA, **known}, indent=1) + "\n")


def evidence() -> dict[str, Any]:
    """What runs have left, by runtime."""
    found = json.loads(EVIDENCE.read_text()) if EVIDENCE.exists() else {}
    return {runtime: found[runtime] for runtime in RUNTIMES if runtime in found}


def gaps(runtime: str) -> list[str] | None:
    """Behaviours that a run did not show on this runtime; None if there was no run."""
    known = evidence().get(runtime)
    if known is None:
        return None
    outcomes = {name: known["rows"].get(name, {}).values() for name in rows()}
    return [
        rows()[name]["behaviour"]
        for name, found in outcomes.items()
        if not found or _worst(found) != "yes"
    ]


def sentence() -> str:
    """How much of the table runs have shown, for whoever has just run it."""
    told = []
    for runtime in RUNTIMES:
        missing = gaps(runtime)
        shown = "NOT RUN" if missing is None else f"{len(rows()) - len(missing)} of {len(rows())}"
        told.append(f"{_name(runtime)} {shown}")
    return f"behaviours shown beside other software: {', '.join(told)}"


def page() -> str:
    """The table in Markdown."""
    known = evidence()
    lines = [
        "# Our client, shim and network beside those of others",
        "",
        "One test per behaviour, run with every client and contract named; what a cell says was "
        "seen in the run named below. Made by `make docs` from tests/interop.",
        "",
        *(f"- {_title(runtime, known)}" for runtime in RUNTIMES),
    ]
    groups = list(dict.fromkeys(row["group"] for row in rows().values()))
    for group in groups:
        lines += ["", f"## {group[0].upper()}{group[1:]}", "", *_group(group, known)]
    return "\n".join(lines) + "\n"


def _title(runtime: str, known: Mapping[str, Any]) -> str:
    name = _name(runtime)
    if runtime not in known:
        return f"{name}: NOT RUN"
    found = known[runtime]
    version = f" {found['fabric']}" if found["fabric"] else ""
    return f"{name}{version}: run of {found['at']}"


def _name(runtime: str) -> str:
    return "embedded network" if runtime == "embedded" else "real Fabric"


def _group(group: str, known: Mapping[str, Any]) -> Iterator[str]:
    chosen = {name: row for name, row in rows().items() if row["group"] == group}
    found = {each for name in chosen for each in _subjects(group, name, known)}
    subjects = [each for each in (*_NAMES, "-") if each in found]
    columns = [(subject, runtime) for subject in subjects for runtime in RUNTIMES]
    heads = [f"{_called(group, subject)}, {_short(runtime)}" for subject, runtime in columns]
    yield f"| behaviour | {' | '.join(heads)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, row in chosen.items():
        cells = [_cell(group, name, subject, known.get(runtime)) for subject, runtime in columns]
        yield f"| {row['behaviour']} | {' | '.join(cells)} |"


def _subjects(group: str, name: str, known: Mapping[str, Any]) -> Iterator[str]:
    for runtime in known.values():
        for pair in runtime["rows"].get(name, {}):
            yield _subject(group, pair)


def _subject(group: str, pair: str) -> str:
    client, _, shim = pair.partition("/")
    return shim if group == _BY_SHIM or shim == "fcp" else client


def _called(group: str, subject: str) -> str:
    if subject == "node" and group == _BY_SHIM:
        return "Node shim"
    return _NAMES.get(subject, "both shims" if subject == "-" else subject)


def _short(runtime: str) -> str:
    return "embedded" if runtime == "embedded" else "Fabric"


def _cell(group: str, name: str, subject: str, runtime: Mapping[str, Any] | None) -> str:
    if runtime is None:
        return "not run"
    found = runtime["rows"].get(name, {})
    outcomes = [each for pair, each in found.items() if _subject(group, pair) == subject]
    return _worst(outcomes) if outcomes else ""


def _worst(outcomes: Iterable[str]) -> str:
    """`failed` before `not run` before `passed`."""
    all_of = set(outcomes)
    if "failed" in all_of:
        return "**failed**"
    return "not run" if "skipped" in all_of else "yes"
