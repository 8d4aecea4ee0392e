# SPDX-License-Identifier: Apache-2.0
"""A wrong configuration is answered with the name of each wrong entry."""

from pathlib import Path

import pytest

from pedchain_gateway.cli import app
from pedchain_gateway.config import ConfigError, load

GOOD = """
profile = "profiles/DistrictA.json"
state = "gateway"
listen = "127.0.0.1:8443"
[districts.DistrictA]
close = true
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD + '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n'))
    assert config.profile == tmp_path / "profiles/DistrictA.json"
    assert config.tls is not None
    assert config.tls.key == tmp_path / "k.pem"
    assert (config.host, config.port) == ("127.0.0.1", 8443)
    assert config.definitions == {"DistrictA": "metering-DistrictA"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('state = "gateway"\n', "", "state: Field required"),
        ("close = true", "colse = true", r"districts\.DistrictA\.colse"),
        ("[districts.DistrictA]\nclose = true\n", "", "districts: Field required"),
        ("127.0.0.1:8443", "127.0.0.1", "address:port"),
        ("127.0.0.1:8443", "127.0.0.1:0", "address:port"),
        ("127.0.0.1:8443", "gateway.example:8443", "not a host name"),
        ("127.0.0.1:8443", "0.0.0.0:8443", "beyond loopback"),
        ("[districts.DistrictA]", "[districts.'../x']", "pattern"),
        ("profile = ", "profile ", "is not TOML"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path, GOOD.replace(old, new)))


def test_beyond_loopback_needs_tls(tmp_path: Path) -> None:
    text = GOOD.replace("127.0.0.1", "0.0.0.0") + '[tls]\ncertificate = "c"\nkey = "k"\n'
    assert load(write(tmp_path, text)).host == "0.0.0.0"


def test_the_command_says_what_is_wrong_and_leaves_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        app(["serve", "--config", str(write(tmp_path, "listen = 1"))])
    assert left.value.code == 2
    assert "profile: Field required" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["register", "close"])
def test_a_profile_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "r.json").write_text("{}")
    given = {"register": [str(tmp_path / "r.json")], "close": ["--district", "D"]}[command]
    with pytest.raises(SystemExit) as left:
        app([command, *given, "--profile", str(tmp_path / "none.json")])
    assert left.value.code == 1
    assert "none.json" in capsys.readouterr().err
