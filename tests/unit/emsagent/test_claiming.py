# SPDX-License-Identifier: Apache-2.0
"""A device's answer to a claim: made with its own key, for this ledger, good for one claim."""

import json
from pathlib import Path

import pytest

from emsagent import cli
from emsagent import config as configuration
from emsagent.claiming import possession
from emsagent.config import Config
from emsagent.errors import ConfigError
from emsagent.keyring import path_of
from emsagent.keys import load, public_hex
from pedchain_domain import onboarding, signed

CLAIM = "0123456789abcdef" * 2


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(
        'schema = "emsagent/1"\nnetwork = "n1"\nchannel = "ped"\n'
        '[gateway.A]\nurl = "http://127.0.0.1:1"\n'
        '[[home]]\nid = "h"\ndistrict = "A"\ninterval_s = 3600\nsamples_per_record = 1\n'
        '[[home.device]]\nid = "SN-1"\ndriver = { kind = "csv", file = "r.csv" }\n'
    )
    (tmp_path / "r.csv").write_text("instant,1-0:1.8.0*255/Wh\n")
    return path


@pytest.fixture
def config(written: Path) -> Config:
    return configuration.load(written)


def test_the_answer_is_signed_by_the_devices_own_key(config: Config) -> None:
    answer = possession(config, "SN-1", CLAIM)
    assert answer["key"]["spki"] == public_hex(load(path_of(config, "SN-1")))
    message = onboarding.possession_bytes(signed.unsigned(answer), "n1", "ped")
    signed.verify(answer["key"]["spki"], message, answer["signature"])
    assert possession(config, "SN-1", CLAIM)["key"] == answer["key"]


@pytest.mark.parametrize(("device", "claim"), [("SN-2", CLAIM), ("SN-1", "claim"), ("SN-1", "")])
def test_an_unknown_device_and_what_is_no_claim_are_named(
    config: Config, device: str, claim: str
) -> None:
    with pytest.raises(ConfigError):
        possession(config, device, claim)


def test_the_command_prints_it(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["claim", CLAIM, "--device", "SN-1", "--config", str(written)])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["claim"] == CLAIM
