# SPDX-License-Identifier: Apache-2.0
"""Networks within the test process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pedchain_fabric.admin.definition import Collection
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.town import Town


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All organisations' keys, made once."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> AsyncIterator[Town]:
    """A running network whose chaincode `probe` anybody may endorse; tests use their own keys."""
    async with towns.start(tmp_path_factory.mktemp("town"), keys) as town:
        await town.join()
        package_id = await town.install()
        await town.serve()
        members = ("DSOMSP", "DistrictAMSP")
        await town.define(
            "probe",
            package_id,
            collections=[
                Collection("pair", members),
                Collection("lonely", members, required_peers=2),
                Collection("open", members, member_only_read=False, member_only_write=False),
            ],
        )
        await town.define("begun", package_id, init_required=True)
        yield town
