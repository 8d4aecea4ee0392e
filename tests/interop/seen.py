# SPDX-License-Identifier: Apache-2.0
"""What a run shows of each row of behaviours.toml, gathered from the reports of its tests.

A report carries its row to the process that began the run: tests may run side by side in several
processes, each of which sees its own share only.
"""

from collections.abc import Generator, Mapping
from typing import Final

import pytest

_PROPERTY: Final = "interop"
_RANKS: Final = ("passed", "skipped", "failed")


class Seen:
    """A plugin of pytest; `runtimes` holds the worst outcome of each row's tests, by runtime and
    by `client/contract`."""

    def __init__(self) -> None:
        self.runtimes: dict[str, dict[str, dict[str, str]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write on a report which rows it is of, and with what its test ran."""
        report = yield
        mark = item.get_closest_marker("interop")
        if mark is not None and isinstance(item, pytest.Function):
            runtime, pair = _ran_with(item)
            of = {"runtime": runtime, "pair": pair, "rows": list(mark.args)}
            report.user_properties.append((_PROPERTY, of))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report says, whichever process its test ran in."""
        for name, of in report.user_properties:
            if name == _PROPERTY and isinstance(of, Mapping):
                rows = self.runtimes.setdefault(of["runtime"], {})
                for row in of["rows"]:
                    pairs = rows.setdefault(row, {})
                    known = pairs.get(of["pair"], report.outcome)
                    pairs[of["pair"]] = max(known, report.outcome, key=_RANKS.index)


def _ran_with(item: pytest.Function) -> tuple[str, str]:
    """The runtime, and `client/contract` where the test knows them."""
    given = item.callspec.params
    client = given.get("clients", "python")
    for name in ("hfc", "both"):
        client = name if name in item.fixturenames else client
    shim = given.get("chaincode", "fcp" if "fcp" in item.fixturenames else "-")
    return str(given["network"]), f"{client}/{shim}"
