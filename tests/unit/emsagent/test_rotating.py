# SPDX-License-Identifier: Apache-2.0
"""Rotation, and the way back after a restored disk: no counter is signed twice by one key."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import config as configuration
from emsagent import keyring
from emsagent.delivery import deliver
from emsagent.errors import KeyFileError, StateRegressed
from emsagent.home import Home
from emsagent.rotating import rotate
from emsagent.uplink import Uplink
from pedchain_domain import ocmf, signed
from tests.unit.emsagent.conftest import FakeGateway, config_text, write_registers

T0, HOUR = 1_774_742_400, 3_600
METER = "home-1-grid"


@pytest.fixture
def config(tmp_path: Path, gateway: FakeGateway) -> configuration.Config:
    """A home whose records hold one hour each."""
    write_registers(tmp_path / f"registers/{METER}.csv", hours=72)
    (tmp_path / "agent.toml").write_text(config_text(gateway.url, samples_per_record=1))
    return configuration.load(tmp_path / "agent.toml")


def read(config: configuration.Config, hours: int) -> list[ocmf.Record]:
    with Home(config, config.homes[0]) as home:
        home.collect(until=T0 + hours * HOUR, since=T0)
        return [ocmf.parse(one.content) for one in home.outbox.due(100)]


def public(spki: str) -> ec.EllipticCurvePublicKey:
    found = serialization.load_der_public_key(bytes.fromhex(spki))
    assert isinstance(found, ec.EllipticCurvePublicKey)
    return found


def test_a_rotated_key_signs_from_its_counter_on_through_restarts(
    config: configuration.Config, tmp_path: Path
) -> None:
    read(config, 1)
    old = keyring.load(config, config.homes[0].devices[0]).public_key()
    told = rotate(config, METER, 5, METER)
    new = public(told["key"]["spki"])
    body = {name: value for name, value in told.items() if name != "signatures"}
    message = signed.message(body, network="test", channel="ped", contract="metering")
    for which, key in (("old", old), ("new", new)):
        key.verify(bytes.fromhex(told["signatures"][which]), message, ec.ECDSA(hashes.SHA256()))
    for hours in (2, 5, 7):
        records = read(config, hours)
    assert [one.counter for one in records] == list(range(1, 9))
    for one in records:
        ocmf.verify(one, new if one.counter >= 5 else old)
    names = {one.name for one in (tmp_path / "state/keys").glob("*.pem")}
    assert names == {f"{METER}.pem", f"{METER}.before.5.pem"}


def test_a_crash_between_two_renames_is_finished(config: configuration.Config) -> None:
    read(config, 3)
    rotate(config, METER, 5, METER)
    path = keyring.path_of(config, METER)
    path.rename(path.with_name(f"{METER}.before.5.pem"))
    assert [one.counter for one in read(config, 5)] == [1, 2, 3, 4, 5, 6]


def test_a_used_counter_or_a_second_rotation_is_refused(config: configuration.Config) -> None:
    read(config, 3)
    with pytest.raises(StateRegressed, match="counter 4"):
        rotate(config, METER, 4, METER)
    rotate(config, METER, 5, METER)
    with pytest.raises(KeyFileError, match="next key already"):
        rotate(config, METER, 6, METER)


@pytest.mark.parametrize("with_keys", [False, True], ids=["outbox", "disk"])
async def test_a_restored_state_is_told_and_goes_on_under_another_key(
    config: configuration.Config, gateway: FakeGateway, tmp_path: Path, *, with_keys: bool
) -> None:
    """A copy of the outbox alone is seen at the start; of the whole disk, at the ledger's answer,
    which stops the device. From then on a counter nobody used, and a key no copy has."""
    part = "state" if with_keys else "state/outbox"
    home_config, gateways = config.homes[0], config.gateways

    async def live(hours: int) -> list[str]:
        with Home(config, home_config) as home:
            home.collect(until=T0 + hours * HOUR, since=T0)
            async with Uplink(gateways["DistrictA"]) as uplink:
                await deliver(home, uplink)
            return [name for _, name, _ in home.outbox.alarms()]

    assert await live(2) == []
    shutil.copytree(tmp_path / part, tmp_path / "copy")
    assert await live(5) == []
    shutil.rmtree(tmp_path / part)
    shutil.copytree(tmp_path / "copy", tmp_path / part)
    write_registers(tmp_path / f"registers/{METER}.csv", hours=72, start=T0 + 900)  # life goes on
    if with_keys:
        assert "conflict" in await live(8)
        assert "device-blocked" in await live(9)
    else:
        with pytest.raises(StateRegressed, match="copied state"):
            await live(8)
    before = dict(gateway.payloads)
    told = rotate(config, METER, 100, METER, restored=True)
    await live(12)
    new = {key: value for key, value in gateway.payloads.items() if key not in before}
    assert min(counter for _, counter in new) == 100
    ocmf.verify(ocmf.parse(record_at(config, 100)), public(told["key"]["spki"]))


def record_at(config: configuration.Config, counter: int) -> bytes:
    with Home(config, config.homes[0]) as home:
        rows = home.outbox._db.execute("SELECT content FROM record WHERE counter = ?", (counter,))
        (content,) = rows.fetchone()
    assert isinstance(content, bytes)
    return content
