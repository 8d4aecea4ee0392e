# SPDX-License-Identifier: Apache-2.0
"""The table of behaviours and the tests name the same rows."""

import re
import tomllib

from tests.interop.environments import FOLDER


def test_every_behaviour_has_a_test_and_every_mark_a_behaviour() -> None:
    rows = tomllib.loads((FOLDER / "behaviours.toml").read_text())
    marked = {
        row
        for path in FOLDER.glob("test_*.py")
        for row in re.findall(r'@pytest\.mark\.interop\("([^"]+)"\)', path.read_text())
    }
    assert marked == set(rows)
