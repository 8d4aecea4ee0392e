# SPDX-License-Identifier: Apache-2.0
"""Keys in a token sign as keys in files do, and never come out."""

import shutil
import subprocess
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import serialization

from emsagent import config as configuration
from emsagent import keyring
from emsagent.errors import ConfigError, KeyFileError
from emsagent.home import Home
from pedchain_domain import ocmf
from tests.unit.emsagent.conftest import FakeGateway, config_text, write_registers

T0, HOUR = 1_774_742_400, 3_600
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
MODULE = next((one for one in MODULES if Path(one).exists()), "")
needs_token = pytest.mark.skipif(
    not (MODULE and shutil.which("softhsm2-util")), reason="softhsm2 is not installed"
)


def configured(tmp_path: Path, url: str, module: str, label: str = "ems") -> configuration.Config:
    write_registers(tmp_path / "registers/home-1-grid.csv", hours=3)
    text = config_text(url).replace(
        'driver = { kind = "csv"', 'key = "token"\ndriver = { kind = "csv"'
    )
    (tmp_path / "pin").write_text("1234\n")
    text += f'[token]\nmodule = "{module}"\nlabel = "{label}"\npin_file = "pin"\n'
    (tmp_path / "agent.toml").write_text(text)
    return configuration.load(tmp_path / "agent.toml")


@needs_token
def test_a_key_in_a_token_signs_and_stays(
    tmp_path: Path, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))
    made = ["softhsm2-util", "--init-token", "--free", "--label", "ems"]
    subprocess.run([*made, "--pin", "1234", "--so-pin", "4321"], check=True, capture_output=True)
    pkcs11.lib(MODULE).reinitialize()  # another module's tests may have loaded it
    config = configured(tmp_path, gateway.url, MODULE)
    device = config.homes[0].devices[0]
    assert not keyring.exists(config, device)
    for hours in (1, 3):
        with Home(config, config.homes[0]) as home:
            home.collect(until=T0 + hours * HOUR, since=T0)
            records = [ocmf.parse(one.content) for one in home.outbox.due(10)]
    key = keyring.load(config, device)
    assert [one.counter for one in records] == [1, 2]
    for one in records:
        ocmf.verify(one, key.public_key())
    with pytest.raises(KeyFileError, match="never leaves"):
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    with pytest.raises(KeyFileError, match="not rotated"):
        keyring.begin(config, device, 9)
    assert not list((tmp_path / "state/keys").glob("*.pem"))


def test_a_token_that_is_not_there_is_named(tmp_path: Path, gateway: FakeGateway) -> None:
    config = configured(tmp_path, gateway.url, "/nowhere/module.so")
    with pytest.raises(KeyFileError, match="token ems"):
        keyring.load(config, config.homes[0].devices[0])


def test_a_device_in_a_token_needs_the_token(tmp_path: Path, gateway: FakeGateway) -> None:
    configured(tmp_path, gateway.url, "x")
    file = tmp_path / "agent.toml"
    file.write_text(file.read_text().split("[token]")[0])
    config = configuration.load(file)
    with pytest.raises(ConfigError, match="token"):
        keyring.load(config, config.homes[0].devices[0])
