# SPDX-License-Identifier: Apache-2.0
"""Users whose keys are not on P-256: they sign every message of theirs, and are believed."""

from pathlib import Path

import pytest

from tests.interop import identities
from tests.interop.clients.model import Event, From
from tests.interop.setting import Clients, answers, script


@pytest.mark.parametrize("kind", ["P-384", "Ed25519"])
@pytest.mark.interop("key-kinds")
async def test_keys_of_other_kinds_sign_proposals_transactions_and_requests(
    clients: Clients, chaincode: str, key: str, kind: str, tmp_path: Path
) -> None:
    own = identities.new_key(kind)
    profile = identities.profile(clients.network, "DSO", own, tmp_path)
    client = await clients.guest(profile, identities.USER)
    call = script(chaincode, ["put", key, kind], ["event", "signed", key])
    sent = await client.submit_async(call)
    outcome = await client.status(sent.data)
    assert outcome.code == "VALID"
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == [kind]
    stream = await client.events("chaincode", From(start=outcome.block_number), chaincode)
    event = await stream.next()
    await stream.stop()
    assert isinstance(event, Event)
    assert event.transaction_id == sent.transaction_id
    blocks = await client.events("filtered", From(start=outcome.block_number))
    assert await blocks.next()
    await blocks.stop()
