# SPDX-License-Identifier: Apache-2.0
"""Hooks of every test run: options, tests on real Fabric, the evidence that they leave."""

import hypothesis
import pytest

# How long an example takes says what else the machine does: no rule is tested by it.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

_outcomes = pytest.StashKey[dict[str, dict[str, str]]]()

MARKS = ("native", "docker")
"""Runtimes with Fabric's own peers and orderers, which run only where they are there and asked."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record` is `make golden`'s; `--evidence` `make conformance`'s and `make docker-test`'s."""
    parser.addoption(
        "--record", action="store_true", help="write what real Fabric answers to tests/golden"
    )
    parser.addoption(
        "--evidence", action="store_true", help="write what ran on real Fabric to tests/*.json"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Room for the outcomes of what ran on real Fabric."""
    outcomes: dict[str, dict[str, str]] = {mark: {} for mark in MARKS}
    config.stash[_outcomes] = outcomes
    config.pluginmanager.register(_Outcomes(outcomes))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Real Fabric is asked for by `-m native`, containers by `-m docker`; without binaries or an
    engine nothing can be asked."""
    for mark, found in zip(MARKS, (_fabric_found, _engine_found), strict=True):
        unwanted = [item for item in items if item.get_closest_marker(mark)]
        if not unwanted or (mark in config.option.markexpr and found()):
            continue
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]


class _Outcomes:
    """Keeps the worst outcome of the phases of each test on real Fabric, whoever ran it."""

    def __init__(self, outcomes: dict[str, dict[str, str]]) -> None:
        self._outcomes = outcomes

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for mark, kept in self._outcomes.items():
            told = report.when == "call" or report.outcome != "passed"
            if told and mark in report.keywords:
                kept[report.nodeid] = report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the evidence of a whole run, one that was not broken off."""
    whole = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    worker = hasattr(session.config, "workerinput")  # the one that began it has all of it
    if worker or not (whole and session.config.getoption("--evidence")):
        return
    for runtime, outcomes in session.config.stash.get(_outcomes, {}).items():
        if outcomes:
            from tests import evidence  # most runs never need what it imports

            evidence.write(session.config.rootpath, outcomes, runtime)


def _fabric_found() -> bool:
    from tests import evidence

    return evidence.fabric_found()


def _engine_found() -> bool:
    from pedchain_network.runtimes.docker import endpoint

    place = endpoint.address()
    return place is not None and not endpoint.refusal(place)
