# SPDX-License-Identifier: Apache-2.0
import json
from collections import Counter
from pathlib import Path

import pytest

from tests import evidence
from tools import run_tests
from tools.run_tests import Step

CASES = """<testsuites><testsuite>
<testcase name="good"/><testcase name="bad"><failure/></testcase>
<testcase name="broken twice"><failure/><error/></testcase>
<testcase name="left"><skipped/></testcase>
</testsuite></testsuites>"""


def test_an_error_around_a_test_is_one_failure(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(CASES)
    assert run_tests.outcomes(report) == Counter(passed=1, failed=2, skipped=1)


@pytest.mark.parametrize(
    ("source", "passed"),
    [
        ("def test_it():\n    assert True is True\n", True),
        ("def test_it():\n    assert True is False\n", False),
        ("", False),
    ],
    ids=["passes", "fails", "holds none"],
)
def test_a_step_passes_only_if_a_test_ran_and_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, passed: bool
) -> None:
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "test_new.py").write_text(source)
    step = Step("new", ("new", "absent"), ("-p", "no:cacheprovider"))
    assert run_tests.passed(step, Counter()) is passed


FLAKY = """
from pathlib import Path

def test_shaky():
    mark = Path(__file__).with_name("mark")
    seen = mark.exists()
    mark.touch()
    assert seen

def test_sound():
    assert 1 + 1 == 2
"""


@pytest.mark.parametrize("second_try", [False, True])
def test_a_shaky_test_passes_only_where_a_second_try_is_asked_for_and_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    second_try: bool,
) -> None:
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    monkeypatch.setenv(run_tests.SECOND_TRY, "1" if second_try else "")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "test_new.py").write_text(FLAKY)
    counts: Counter[str] = Counter()
    assert run_tests.passed(Step("new", ("new",), ()), counts) is second_try
    assert counts == (Counter(passed=2) if second_try else Counter(passed=1, failed=1))
    assert ("1 of them passed alone" in capfd.readouterr().out) is second_try


def test_a_step_without_any_test_file_has_not_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    assert not run_tests.passed(Step("new", ("absent",), ()), Counter())
    assert "no tests in absent yet" in capsys.readouterr().out


def test_the_sentence_names_what_changed_since_real_fabric_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "fabric_found", lambda: False)
    monkeypatch.setattr(evidence, "trees", lambda root: dict.fromkeys(evidence.SOURCES, "new"))
    assert evidence.sentence(tmp_path).startswith("real Fabric: NOT RUN")
    (tmp_path / "tests").mkdir()
    document = {
        "fabric": "3.1.5",
        "at": "2026-11-22",
        "counts": {"failed": 1, "passed": 2},
        "trees": {"fabric": "old", "chaincode": "new", "network": "new"},
    }
    (tmp_path / evidence.file()).write_text(json.dumps(document))
    said = evidence.sentence(tmp_path)
    assert "3.1.5: 1 failed, 2 passed, last run 2026-11-22, since then changed: fabric;" in said
    assert "NOT RUN here" in said
