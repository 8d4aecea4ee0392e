# SPDX-License-Identifier: Apache-2.0
"""`emsagent check`: everything that can be wrong before the first reading."""

from emsagent import keyring
from emsagent.config import Config, DeviceConfig
from emsagent.drivers import open_driver
from emsagent.errors import AgentError


def check(config: Config) -> list[dict[str, str]]:
    """What is wrong, one entry per finding; empty when all is well. Changes nothing."""
    findings = [
        {"gateway": gateway.district, "code": "ca", "detail": f"{gateway.ca} is not a file"}
        for gateway in config.gateways.values()
        if gateway.ca is not None and not gateway.ca.is_file()
    ]
    for home in config.homes:
        for device in home.devices:
            findings += _device(config, device)
    return findings


def _device(config: Config, device: DeviceConfig) -> list[dict[str, str]]:
    findings = []
    try:
        driver = open_driver(device.driver)
        next(driver.samples(None, 1 << 40), None)
    except AgentError as error:
        findings.append({"device": device.id, "code": error.code, "detail": str(error)})
    try:
        if keyring.exists(config, device):
            keyring.load(config, device)
    except AgentError as error:
        findings.append({"device": device.id, "code": error.code, "detail": str(error)})
    return findings
