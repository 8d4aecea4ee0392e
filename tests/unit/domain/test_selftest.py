# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest

from pedchain_domain import numbers, selftest


def test_this_process_computes_what_every_other_one_does() -> None:
    assert selftest.run() == selftest.EXPECTED == selftest.digest()


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_the_digest_does_not_depend_on_the_hash_seed(seed: str) -> None:
    code = "from pedchain_domain import selftest; print(selftest.digest())"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": seed},
    )
    assert found.stdout.strip() == selftest.EXPECTED


def test_a_process_that_computes_otherwise_must_not_endorse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(numbers, "ppm", lambda n, d: n * 10**6 // (d or 1) + 1)
    with pytest.raises(selftest.SelfTestError):
        selftest.run()


def test_each_vector_has_a_line_of_its_own() -> None:
    lines = list(selftest.outcomes())
    assert len(lines) > 60
    assert len(dict.fromkeys(lines)) == len(lines)
