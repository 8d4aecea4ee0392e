# SPDX-License-Identifier: Apache-2.0
"""A wrong configuration is answered with the name of the entry and what it must be."""

from pathlib import Path

import pytest

from emsagent import config as configuration
from emsagent.errors import ConfigError

GOOD = """
schema = "emsagent/1"
network = "test"
channel = "ped"
[gateway.DistrictA]
url = "https://127.0.0.1:8443/"
ca = "ca.pem"
[[home]]
id = "home-1"
district = "DistrictA"
[[home.device]]
id = "home-1-grid"
driver = { kind = "csv", file = "grid.csv" }
"""


def load(tmp_path: Path, text: str) -> configuration.Config:
    (tmp_path / "agent.toml").write_text(text)
    return configuration.load(tmp_path / "agent.toml")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.state == tmp_path / "state"
    assert config.gateways["DistrictA"].ca == tmp_path / "ca.pem"
    assert config.gateways["DistrictA"].url == "https://127.0.0.1:8443"
    assert config.homes[0].devices[0].driver.base == tmp_path
    assert config.homes[0].interval_s == 900


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('schema = "emsagent/1"', 'schema = "emsagent/9"', "schema: must be 'emsagent/1'"),
        ('channel = "ped"\n', "", "channel: is missing; it must be a text"),
        ('network = "test"', "network = 7", "network: must be a text, is 7"),
        ('id = "home-1"\n', 'id = "../home"\n', r"home\[0\]\.id: '../home' is not an id"),
        ('district = "DistrictA"\n', 'district = "B"\n', r"home\[0\]\.district: no \[gateway\.B\]"),
        ('district = "DistrictA"\n', 'district = "DistrictA"\nintervall_s = 900\n', "intervall_s"),
        ('district = "DistrictA"\n', 'district = "DistrictA"\ninterval_s = 7\n', "divide an hour"),
        ('district = "DistrictA"\n', 'district = "DistrictA"\ninterval_s = 0\n', "from 1 to 3600"),
        ("https://", "ftp://", r"gateway\.DistrictA\.url: must start with http"),
        ("[[home.device]]", "[[home.devise]]", r"home\[0\]\.device: is missing"),
        ("kind = ", "kindd = ", r"device\[0\]\.driver\.kind: is missing"),
        ("[[home]]", "[[", "is not TOML"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, GOOD.replace(old, new))


def test_an_id_is_used_once(tmp_path: Path) -> None:
    again = GOOD[GOOD.index("[[home.device]]") :]
    with pytest.raises(ConfigError, match="'home-1-grid' is used twice"):
        load(tmp_path, GOOD + again)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-such"):
        configuration.load(tmp_path / "no-such.toml")
