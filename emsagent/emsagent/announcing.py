# SPDX-License-Identifier: Apache-2.0
"""What the agent tells Home Assistant: how each home's records stand, and the order it follows.

    [homeassistant]
    host = "192.0.2.4"
    username = "agent"
    password_file = "mqtt.secret"

Sensors appear by themselves under a device `emsagent HOME` (MQTT discovery): waiting and recorded
records, alarms, and the power of the order that holds now (W; unknown without one). They count as
gone when the agent is. Needs `emsagent[mqtt]`.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aiomqtt

from emsagent import limits, logs
from emsagent.drivers.mqtt import Broker
from emsagent.following import Follower
from emsagent.home import Home
from emsagent.outbox import State

SENSORS: Mapping[str, Mapping[str, str]] = {
    "waiting": {"name": "Waiting records", "state_class": "measurement"},
    "recorded": {"name": "Recorded records", "state_class": "measurement"},
    "alarms": {"name": "Alarms", "state_class": "measurement"},
    "order": {"name": "Order", "device_class": "power", "unit_of_measurement": "W"},
}
_WAITING = (State.RESERVED, State.QUEUED, State.SENT)
AVAILABLE = "emsagent/status"


def configs(home: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Discovery topic and document of each sensor of a home."""
    node = "".join(one if one.isalnum() else "_" for one in home)
    device = {"identifiers": [f"emsagent_{node}"], "name": f"emsagent {home}"}
    for sensor, more in SENSORS.items():
        yield (
            f"homeassistant/sensor/emsagent_{node}/{sensor}/config",
            {
                **more,
                "unique_id": f"emsagent_{node}_{sensor}",
                "state_topic": f"emsagent/{home}/state",
                "value_template": f"{{{{ value_json.{sensor} }}}}",
                "availability_topic": AVAILABLE,
                "device": device,
            },
        )


def state(home: Home, follower: Follower | None, now: int) -> dict[str, int | None]:
    """The sensors' values."""
    counts = home.outbox.counts()
    return {
        "waiting": sum(counts[one] for one in _WAITING),
        "recorded": counts[State.RECORDED],
        "alarms": len(home.outbox.alarms()),
        "order": follower.setpoint(now) if follower else None,
    }


async def announce(
    broker: Broker, homes: Sequence[Home], followers: Mapping[str, Follower]
) -> None:
    """Tell it until cancelled; a broker that is away is told when it is back."""
    while True:
        try:
            await _tell(broker, homes, followers)
        except aiomqtt.MqttError as error:
            logs.event("not-announced", why=type(error).__name__)
        await asyncio.sleep(limits.DEVICE_RETRY_MAX_S)


async def _tell(broker: Broker, homes: Sequence[Home], followers: Mapping[str, Follower]) -> None:
    gone = aiomqtt.Will(AVAILABLE, "offline", qos=1, retain=True)
    async with broker.client(will=gone) as client:
        for home in homes:
            for topic, document in configs(home.config.id):
                await client.publish(topic, json.dumps(document), qos=1, retain=True)
        await client.publish(AVAILABLE, "online", qos=1, retain=True)
        try:
            await _keep_telling(client, homes, followers)
        finally:  # the will is for an end without a word
            await client.publish(AVAILABLE, "offline", qos=1, retain=True)


async def _keep_telling(
    client: aiomqtt.Client, homes: Sequence[Home], followers: Mapping[str, Follower]
) -> None:
    while True:
        for home in homes:
            told = state(home, followers.get(home.config.id), int(time.time()))
            topic = f"emsagent/{home.config.id}/state"
            await client.publish(topic, json.dumps(told), qos=1, retain=True)
        await asyncio.sleep(limits.ANNOUNCE_S)
