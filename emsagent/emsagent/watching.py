# SPDX-License-Identifier: Apache-2.0
"""What the agent tells of itself: metrics for Prometheus, a page for people, a word to systemd.

    [service]
    listen = "127.0.0.1:9464"

`/metrics`, `/` and `/healthz` (503 while a home's loop stands still). There is nothing to set
there, and nothing of what was measured. Under systemd `READY=1` and `WATCHDOG=1` are sent while
every loop goes on, so that an agent that hangs is started again.
"""

import asyncio
import html
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from emsagent import limits
from emsagent.home import Home

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>emsagent</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="30">
<style>body{{font:16px system-ui;margin:2em;max-width:60em}}td,th{{padding:.3em .8em;
text-align:left;border-bottom:1px solid #ccc}}.bad{{color:#b00}}</style>
<h1>emsagent</h1><p class="{tone}">{state}</p>
<table><tr><th>home<th>waiting<th>recorded<th>rejected<th>pause<th>alarms<th>plan
<th>most it can lose</tr>{rows}</table>
{alarms}"""


@dataclass(slots=True)
class Pulse:
    """When each home's loop last went round, by the clock that never jumps."""

    beats: dict[str, tuple[float, float]] = field(default_factory=dict)

    def beat(self, home: str, within_s: float) -> None:
        """The loop goes round, and will again within so many seconds."""
        self.beats[home] = (time.monotonic(), within_s)

    def standing(self) -> list[str]:
        """Homes whose loop is overdue."""
        now = time.monotonic()
        return sorted(
            home
            for home, (at, within) in self.beats.items()
            if now - at > within + limits.STANDSTILL_S
        )


def metrics(homes: Sequence[Home], pulse: Pulse) -> str:
    """All figures in Prometheus' text form."""
    lines = [
        "# TYPE emsagent_records gauge",
        "# HELP emsagent_records Records by home and state.",
        "# TYPE emsagent_alarms gauge",
        "# HELP emsagent_alarms Alarms a person has to look at.",
        "# TYPE emsagent_counter counter",
        "# HELP emsagent_counter Last counter a device reserved.",
        "# TYPE emsagent_send_failures gauge",
        "# HELP emsagent_send_failures Failed attempts to send in a row.",
        "# TYPE emsagent_device_seen_age_seconds gauge",
        "# HELP emsagent_device_seen_age_seconds Since a live device last said something.",
        "# TYPE emsagent_standing_still gauge",
        "# HELP emsagent_standing_still Homes whose loop is overdue.",
        f"emsagent_standing_still {len(pulse.standing())}",
    ]
    for home in homes:
        name, outbox = home.config.id, home.outbox
        for state, count in outbox.counts().items():
            lines.append(f'emsagent_records{{home="{name}",state="{state.value}"}} {count}')
        lines.append(f'emsagent_alarms{{home="{name}"}} {len(outbox.alarms())}')
        lines.append(f'emsagent_send_failures{{home="{name}"}} {outbox.pause()[0]}')
        for device, counter in sorted(outbox.counters().items()):
            lines.append(f'emsagent_counter{{home="{name}",device="{device}"}} {counter}')
        for device, driver in home.live().items():
            age = max(0, round(driver.clock.now() - driver.seen_at))
            labels = f'home="{name}",device="{device}"'
            lines.append(f"emsagent_device_seen_age_seconds{{{labels}}} {age}")
    return "\n".join([*sorted(lines, key=_name_of), ""])


def _name_of(line: str) -> str:
    """Lines of one figure together, as the form asks; what it is comes first."""
    words = line.split()
    return words[2] if line.startswith("#") else line.split("{")[0].split(" ")[0] + "~"


def page(homes: Sequence[Home], pulse: Pulse) -> str:
    """How all stands, for people."""
    standing, rows, alarms = pulse.standing(), [], []
    for home in homes:
        counts, told = home.outbox.counts(), home.outbox.alarms()
        by = {state.value: count for state, count in counts.items()}
        waiting = by["reserved"] + by["queued"] + by["sent"]
        cells = [home.config.id, waiting, by["recorded"], by["rejected"] + by["conflict"]]
        cells += [f"{home.outbox.pause()[0]} failures", len(told)]
        cells += _intent(home)
        rows.append("<tr>" + "".join(f"<td>{html.escape(str(one))}" for one in cells) + "</tr>")
        for at, name, detail in told[-limits.ALARMS_SHOWN :]:
            when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
            alarms.append(f"<li>{when} {html.escape(f'{home.config.id} {name}: {detail}')}</li>")
    listed = f"<h2>Alarms</h2><ul>{''.join(alarms)}</ul>" if alarms else ""
    state = f"standing still: {', '.join(standing)}" if standing else "running"
    return PAGE.format(
        tone="bad" if standing else "", state=html.escape(state), rows="".join(rows), alarms=listed
    )


def _intent(home: Home) -> list[str]:
    """How it plans, and what it can lose in the market at most."""
    told = home.intent()
    plan, market = told.get("plan"), told.get("market")
    shown = "-"
    if isinstance(plan, dict):
        saved = plan["unmanaged_cost_ucur"] - plan["cost_ucur"]
        shown = "paused" if plan["paused"] else f"{plan['method']}, saves {saved} \u00b5cur"
    if not isinstance(market, list):
        return [shown, "-"]
    return [shown, f"{sum(one['most_lost_ucur'] for one in market)} \u00b5cur"]


class Service:
    """The small HTTP server of an agent."""

    def __init__(self, homes: Sequence[Home], pulse: Pulse) -> None:
        self._homes, self._pulse = homes, pulse

    async def serve(self, listen: tuple[str, int]) -> None:
        """Answer until cancelled."""
        server = await asyncio.start_server(self._answer, *listen, limit=limits.REQUEST_BYTES_MAX)
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(limits.CONNECT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                words = head.split(b"\r\n", 1)[0].split()
                path = words[1] if len(words) == 3 and words[0] == b"GET" else b""
                writer.write(self._reply(path.split(b"?")[0]))
                await writer.drain()
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or asks nothing we know
        finally:
            writer.close()

    def _reply(self, path: bytes) -> bytes:
        if path == b"/metrics":
            return _http(200, "text/plain; version=0.0.4", metrics(self._homes, self._pulse))
        if path == b"/":
            return _http(200, "text/html", page(self._homes, self._pulse))
        if path == b"/healthz":
            standing = self._pulse.standing()
            return _http(503 if standing else 200, "text/plain", ",".join(standing) or "ok")
        return _http(404, "text/plain", "not here")


def _http(status: int, kind: str, text: str) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'No'}\r\ncontent-type: {kind}; "
        f"charset=utf-8\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
        "cache-control: no-store\r\nx-content-type-options: nosniff\r\n"
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n"
    )
    return head.encode() + body


async def tell_systemd(pulse: Pulse) -> None:
    """READY once, WATCHDOG while all goes on; nothing where no systemd asked for it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    every_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 2_000_000
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect("\0" + address[1:] if address.startswith("@") else address)
        notify.send(b"READY=1")
        while every_s > 0:
            if not pulse.standing():
                notify.send(b"WATCHDOG=1")
            await asyncio.sleep(every_s)
