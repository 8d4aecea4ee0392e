# SPDX-License-Identifier: Apache-2.0
"""A consortium in memory with two definitions: `open` (any peer) and `district` (DSO and A)."""

from collections.abc import Iterator

import pytest

from tests.unit.fabric.embedded_ledger.consortium import NAMES, Consortium, collection

ANY = "OR({})".format(",".join(f"'{name}MSP.peer'" for name in NAMES))
BOTH = "AND('DSOMSP.peer','DistrictAMSP.peer')"


@pytest.fixture
def consortium() -> Iterator[Consortium]:
    """Fresh for each test; private collection `readings` of DSO and DistrictA."""
    found = Consortium.start()
    found.define("open", ANY)
    readings = collection("readings", ["DSO", "DistrictA"], endorsement=BOTH)
    found.define("district", BOTH, [readings])
    yield found
    found.ledger.close()
