# SPDX-License-Identifier: Apache-2.0
"""Home Assistant is told of the agent as of any device, and that it is gone when it is."""

import asyncio
import json
from typing import Any

import aiomqtt

from emsagent import config as configuration
from emsagent import run as live
from tests.unit.emsagent.livedevices import broker

T0, HOUR = 1_774_742_400, 3_600


async def test_sensors_appear_by_themselves_and_go_with_the_agent(
    street: configuration.Config, tmp_path: Any
) -> None:
    async with broker() as port, aiomqtt.Client("127.0.0.1", port) as assistant:
        file = tmp_path / "agent.toml"
        table = f'[homeassistant]\nhost = "127.0.0.1"\nport = {port}\n'
        file.write_text(file.read_text() + table)
        for topic in ("homeassistant/#", "emsagent/#"):
            await assistant.subscribe(topic, qos=1)
        stop = asyncio.Event()
        agent = asyncio.create_task(live.run(configuration.load(file), stop))
        heard: dict[str, str] = {}
        async with asyncio.timeout(30):
            async for message in assistant.messages:
                assert isinstance(message.payload, bytes)
                heard[str(message.topic)] = message.payload.decode()
                if "emsagent/home-2/state" in heard:
                    break
        assert heard["emsagent/status"] == "online"
        config = json.loads(heard["homeassistant/sensor/emsagent_home_1/waiting/config"])
        assert config["state_topic"] == "emsagent/home-1/state"
        told = json.loads(heard["emsagent/home-1/state"])
        assert told["alarms"] == 0
        assert told["order"] is None
        assert told["waiting"] + told["recorded"] > 0
        stop.set()
        async with asyncio.timeout(30):
            await agent
            async for message in assistant.messages:
                if message.payload == b"offline":
                    break
