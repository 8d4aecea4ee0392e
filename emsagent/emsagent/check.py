# SPDX-License-Identifier: Apache-2.0
"""`emsagent check`: everything that can be wrong before the first reading."""

from emsagent import keyring
from emsagent.config import Config, DeviceConfig
from emsagent.drivers import Controllable, open_driver
from emsagent.drivers.live import Live
from emsagent.errors import AgentError, ConfigError


def check(config: Config) -> list[dict[str, str]]:
    """What is wrong, one entry per finding; empty when all is well. Changes nothing."""
    findings = [
        {"gateway": gateway.district, "code": "ca", "detail": f"{gateway.ca} is not a file"}
        for gateway in config.gateways.values()
        if gateway.ca is not None and not gateway.ca.is_file()
    ]
    told = {store.device for wish in config.plans for store in wish.stores}
    told |= {str(wish.sun) for wish in config.plans if wish.curtails}
    told |= {str(one.acts) for one in config.consents}
    for home in config.homes:
        for device in home.devices:
            findings += _device(config, device, told)
    return findings


def _device(config: Config, device: DeviceConfig, told: set[str]) -> list[dict[str, str]]:
    findings = []
    try:
        driver = open_driver(device.driver)
        if not isinstance(driver, Live):  # a live one says something only while the agent runs
            next(driver.samples(None, 1 << 40), None)
        if device.id in told and not isinstance(driver, Controllable):
            raise ConfigError("plan", f"{device.id} cannot be told a power")
    except AgentError as error:
        findings.append({"device": device.id, "code": error.code, "detail": str(error)})
    try:
        if keyring.exists(config, device):
            keyring.load(config, device)
    except AgentError as error:
        findings.append({"device": device.id, "code": error.code, "detail": str(error)})
    return findings
