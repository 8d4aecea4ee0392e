# SPDX-License-Identifier: Apache-2.0
"""Every probe is answered as real Fabric answered it: in `tests/golden/services`, always; and by
real Fabric itself when asked with `-m native`.
"""

import json
from collections.abc import Mapping

import pytest

from tests.parity.run import GOLDEN, SECTIONS, answers, network
from tests.parity.target import Fact

RUNTIMES = ("embedded", pytest.param("native", marks=pytest.mark.native))
PROBES = [(section, name) for section, probes in SECTIONS.items() for name in probes]


@pytest.fixture(scope="module", params=RUNTIMES)
async def answered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Mapping[str, Fact]]:
    """Every probe's answer on one network."""
    with network(request.param, tmp_path_factory.mktemp("parity")) as made:
        made.run("up")
        return await answers(made.state / "profiles")


@pytest.fixture(scope="module")
def recorded() -> Mapping[str, Mapping[str, Fact]]:
    """What real Fabric answered."""
    return {
        section: json.loads((GOLDEN / f"{section}.json").read_text(encoding="utf-8"))
        for section in SECTIONS
    }


@pytest.mark.parametrize(
    ("section", "name"),
    [pytest.param(*each, marks=pytest.mark.parity(f"answers-{each[0]}")) for each in PROBES],
)
def test_answers_as_fabric(
    answered: Mapping[str, Mapping[str, Fact]],
    recorded: Mapping[str, Mapping[str, Fact]],
    section: str,
    name: str,
) -> None:
    assert answered[section][name] == recorded[section][name]


def test_nothing_is_recorded_that_no_probe_asks(
    recorded: Mapping[str, Mapping[str, Fact]],
) -> None:
    assert {section: sorted(facts) for section, facts in recorded.items()} == {
        section: sorted(probes) for section, probes in SECTIONS.items()
    }
