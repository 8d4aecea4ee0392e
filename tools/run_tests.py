# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of one target; says at the end what ran, and what of it on real Fabric.

python -m tools.run_tests test|conformance|docker|soak|golden
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests import evidence
from tests.interop import table

ROOT = Path(__file__).resolve().parent.parent
TESTS_FAILED = 1  # pytest's exit codes: some tests failed,
NO_TESTS = 5  # and a selection that is empty
#: Set by .ci/run: failed tests are tried once more by themselves, and said to be shaky.
SECOND_TRY = "PEDCHAIN_SECOND_TRY"


@dataclass(frozen=True)
class Step:
    """One session of pytest. Folders that hold no tests yet are left out, and named."""

    name: str
    folders: tuple[str, ...]
    options: tuple[str, ...]


ALONE = ("-p", "no:randomly")
#: How many networks of real Fabric may be up at a time; each has sixteen processes, most of which
#: wait. Files go out in order, not by the number of their tests: the longest tests stand in the
#: smallest files.
NETWORKS = os.environ.get("PEDCHAIN_NETWORKS", "2")
SIDE_BY_SIDE = ("-n", NETWORKS, "--dist", "loadfile", "--no-loadscope-reorder")
EMBEDDED = ("-m", "not native")
SLOWEST = ("--durations", "30", "--durations-min", "5")
REAL = (
    "tests/scenarios",
    "tests/conformance",
    "tests/parity",
    "tests/differential",
    "tests/interop",
)
TARGETS: dict[str, tuple[Step, ...]] = {
    # Parallel where tests are pure; those that kill processes or hold a network run alone.
    "test": (
        Step(
            "unit",
            ("tests/unit", "tests/oracles", "tests/fuzz"),
            ("-n", "2", "--dist", "loadfile", "-m", "not serial and not native"),
        ),
        Step("kills", ("tests/unit",), (*ALONE, "-m", "serial and not native")),
        # Networks wait more than they work; each worker has networks of its own.
        Step(
            "embedded network",
            (
                "tests/scenarios",
                "tests/interop",
                "tests/differential",
                "tests/conformance",
                "tests/parity",
            ),
            (*ALONE, "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", *EMBEDDED),
        ),
    ),
    # One session on real Fabric, so that what is left as evidence is the whole.
    "conformance": (
        Step(
            "real Fabric",
            REAL,
            (*ALONE, *SIDE_BY_SIDE, *SLOWEST, "-m", "native", "--evidence"),
        ),
        Step(
            "interop on the embedded network",
            ("tests/interop",),
            (*ALONE, *EMBEDDED, "--evidence"),
        ),
    ),
    "docker": (Step("containers", ("tests/scenarios",), (*ALONE, "-m", "docker", "--evidence")),),
    "soak": (Step("soak", ("tests/soak",), (*ALONE, "--timeout", "3600")),),
    "golden": (
        Step(
            "recording",
            ("tests/conformance", "tests/scenarios", "tests/differential"),
            (*ALONE, "-m", "native", "--record"),
        ),
    ),
}


def main() -> int:
    target = sys.argv[1]
    if target in ("conformance", "golden") and not evidence.fabric_found():
        print(f"{target}: Fabric's peer and orderer were not found: NOT RUN")
        print(evidence.sentence(ROOT))
        return 0 if target == "conformance" else 1
    counts: Counter[str] = Counter()
    failed = [step.name for step in TARGETS[target] if not passed(step, counts)]
    if target == "golden":
        subprocess.run([sys.executable, "-m", "tests.parity.record"], cwd=ROOT, check=True)
    print(evidence.sentence(ROOT))
    if target == "conformance":
        print(table.sentence())
    if failed:
        print(f"{target}: not passed: {', '.join(failed)}")
    print(f"{target}: {counts['passed']} passed, {counts['failed']} failed", flush=True)
    return 1 if failed else 0


def passed(step: Step, counts: Counter[str]) -> bool:
    """Run a step and add up what came of its tests. A step that selects no test has not passed."""
    folders = [folder for folder in step.folders if any((ROOT / folder).rglob("test_*.py"))]
    for folder in sorted(set(step.folders) - set(folders)):
        print(f"{step.name}: no tests in {folder} yet", flush=True)
    if not folders:
        return False
    start = time.monotonic()
    code, found = session([*folders, *step.options])
    if code == TESTS_FAILED and os.environ.get(SECOND_TRY):
        code, found = again(step, folders, found)
    counts.update(found)
    print(f"{step.name}: {time.monotonic() - start:.0f} s", flush=True)
    if code == NO_TESTS:
        print(f"{step.name}: no test was selected")
    return code == 0


def again(step: Step, folders: Sequence[str], first: Counter[str]) -> tuple[int, Counter[str]]:
    """The failed tests once more, by themselves; a test that only passes now is said to be shaky.

    For machines that judge whole submissions and are noisy; never by default.
    """
    options = [option for option in step.options if option != "--evidence"]
    code, second = session([*folders, *options, "--last-failed", "-rp"])
    print(
        f"{step.name}: {first['failed']} failed at first, {second['passed']} of them passed alone"
    )
    return code, first - Counter(failed=second["passed"]) + Counter(passed=second["passed"])


def session(arguments: Sequence[str]) -> tuple[int, Counter[str]]:
    """One run of pytest: its exit code and what came of the tests."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        code = pytest([*arguments, f"--junitxml={report}"])
        return code, outcomes(report) if report.exists() else Counter()


def pytest(arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def outcomes(report: Path) -> Counter[str]:
    """Passed and failed of a JUnit report; an error at set-up or tear-down is a failure."""
    counts: Counter[str] = Counter()
    tree = ElementTree.parse(report)  # noqa: S314 - our own pytest has just written it
    for case in tree.iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            counts["failed"] += 1
        else:
            counts["skipped" if "skipped" in kinds else "passed"] += 1
    return counts


if __name__ == "__main__":
    sys.exit(main())
