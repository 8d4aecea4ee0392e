# SPDX-License-Identifier: Apache-2.0
"""Real Fabric is asked only when tests marked `native` are selected."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `-m native` the recordings of real Fabric's answers are what counts."""
    if "native" in config.option.markexpr:
        return
    unwanted = [item for item in items if item.get_closest_marker("native")]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]
