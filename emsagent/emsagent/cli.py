# SPDX-License-Identifier: Apache-2.0
"""The command line: `emsagent run|simulate|check|keys|claim|rotate|status --config FILE.toml`,
`emsagent plan PROBLEM.json`, `emsagent street --out FOLDER`.

Results go to standard output as one JSON object per line, events to standard error. Exit codes:
0 as it should be, 1 something needs a person (alarms, an unreachable gateway), 2 a wrong call or
configuration.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from emsagent import config as configuration
from emsagent import logs
from emsagent.config import Config
from emsagent.errors import AgentError, ConfigError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    options = _parser().parse_args(arguments)
    logs.set_up()
    _open_files()
    try:
        if options.config is None:
            code = int(options.command(options))
        else:
            code = int(options.command(configuration.load(options.config), options))
    except AgentError as error:
        print(f"emsagent: {error.code}: {error}", file=sys.stderr)
        code = 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _open_files() -> None:
    """As many files as this process may open: each home's outbox is four."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # then what there is must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emsagent", description="Reads meters, signs readings, never loses one."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function, text in (
        ("run", _run, "read, sign and send until stopped"),
        ("check", _check, "check the configuration, the keys and the register files"),
        ("keys", _keys, "make the keys that are missing and print the public ones"),
        ("status", _status, "show how the records stand; exit code 1 if there are alarms"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
        command.set_defaults(command=function)
    claim = commands.add_parser("claim", help="print a device's signed answer to a claim")
    claim.add_argument("claim", metavar="CLAIM", help="the claim's id, as the DSO gave it")
    claim.add_argument("--device", required=True, metavar="DEVICE")
    claim.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    claim.set_defaults(command=_claim)
    rotate = commands.add_parser("rotate", help="make a device's next key, print its rotate/1")
    rotate.add_argument("--device", required=True, metavar="DEVICE")
    rotate.add_argument("--from-counter", type=int, required=True, metavar="N")
    rotate.add_argument("--name", metavar="NAME", help="what the ledger calls it, if otherwise")
    rotate.add_argument("--restored", action="store_true", help="after a restored or copied state")
    rotate.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    rotate.set_defaults(command=_rotate)
    plan = commands.add_parser("plan", help="plan a home's stores: a problem in, a plan out")
    plan.add_argument("problem", type=Path, metavar="PROBLEM.json")
    plan.set_defaults(command=_plan, config=None)
    for name, text in (
        ("pause", "leave a home's devices to themselves: no plan, no order"),
        ("resume", "plan for a home again"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--home", required=True, metavar="HOME")
        command.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
        command.set_defaults(command=partial(_pause, paused=name == "pause"))
    _add_gain(commands.add_parser("gain", help="what an order would bring, before it is agreed to"))
    _add_flexibility(commands)
    _add_simulate(commands.add_parser("simulate", help="replay register files day by day"))
    _add_street(commands.add_parser("street", help="make homes to try everything with"))
    return parser


def _add_flexibility(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    enrol = commands.add_parser("enrol", help="consent to demand response, as configured")
    enrol.add_argument("--code", required=True, help="the code the occupant has from the DSO")
    enrol.add_argument("--from", dest="since", type=_date, metavar="DAY", required=True)
    enrol.set_defaults(command=_enrol)
    withdraw = commands.add_parser("withdraw", help="end a home's consent")
    withdraw.add_argument("--to", dest="until", type=_date, metavar="DAY", required=True)
    withdraw.set_defaults(command=_withdraw)
    opt_out = commands.add_parser("opt-out", help="leave an order; a running agent tells the rest")
    opt_out.add_argument("order", metavar="ORDER")
    opt_out.set_defaults(command=_opt_out)
    for command in (enrol, withdraw, opt_out):
        command.add_argument("--home", required=True, metavar="HOME")
        command.add_argument("--config", type=Path, required=True, metavar="FILE.toml")


def _add_gain(command: argparse.ArgumentParser) -> None:
    command.add_argument("--home", required=True, metavar="HOME")
    command.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    command.add_argument("--direction", choices=("down", "up"), required=True)
    command.add_argument("--power", type=int, required=True, metavar="W")
    command.add_argument("--start", type=_instant, required=True, metavar="2026-03-29T18:00Z")
    command.add_argument("--minutes", type=int, required=True, metavar="MINUTES")
    command.add_argument("--price", type=int, required=True, metavar="UCUR_PER_KWH")
    command.set_defaults(command=_gain)


def _add_street(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--days", type=int, choices=range(2, 366), default=14, metavar="DAYS")
    command.add_argument(
        "--gateway",
        type=_named_url,
        action="append",
        required=True,
        metavar="DISTRICT=URL",
        help="where the agents of a district send to",
    )
    command.set_defaults(command=_street, config=None)


def _add_simulate(command: argparse.ArgumentParser) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    command.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    command.add_argument("--from", dest="first", type=_date, metavar="DAY", help="first day (UTC)")
    command.add_argument("--through", dest="last", type=_date, metavar="DAY", default=yesterday)
    command.add_argument(
        "--offline",
        type=_at_day,
        action="append",
        default=[],
        metavar="HOME:DAY",
        help="this home sends nothing on this day and drains on the next",
    )
    command.add_argument(
        "--forge",
        type=_at_day,
        action="append",
        default=[],
        metavar="DEVICE:DAY",
        help="somebody else sends a record of this device, signed by another key",
    )
    command.add_argument("--patience", type=float, default=120.0, metavar="SECONDS")
    command.set_defaults(command=_simulate)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-03-29") from error


def _instant(text: str) -> int:
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as 2026-03-29T18:00Z") from error


def _named_url(text: str) -> tuple[str, str]:
    name, _, url = text.partition("=")
    if not name or not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not DISTRICT=URL")
    return name, url


def _at_day(text: str) -> tuple[str, date]:
    name, _, day = text.rpartition(":")
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:DAY")
    return name, _date(day)


def _show(value: object) -> None:
    print(json.dumps(value), flush=True)


def _run(config: Config, _: argparse.Namespace) -> int:
    from emsagent.run import run  # imports of the network are paid for by those who use it

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await run(config, stop)

    asyncio.run(until_stopped())
    return 0


def _enrol(config: Config, options: argparse.Namespace) -> int:
    from emsagent.following import enrol

    since = int(datetime.combine(options.since, datetime.min.time(), UTC).timestamp())
    _show(asyncio.run(enrol(config, options.home, options.code, since)))
    return 0


def _withdraw(config: Config, options: argparse.Namespace) -> int:
    from emsagent.following import withdraw

    until = int(datetime.combine(options.until, datetime.min.time(), UTC).timestamp())
    asyncio.run(withdraw(config, options.home, until))
    return 0


def _opt_out(config: Config, options: argparse.Namespace) -> int:
    from emsagent.following import Follower, consent_of

    follower = Follower(config, consent_of(config, options.home))
    follower.leave(options.order, int(datetime.now(UTC).timestamp()))
    return 0


def _simulate(config: Config, options: argparse.Namespace) -> int:
    from emsagent.simulate import Plan, failed, simulate

    homes = {home.id for home in config.homes}
    devices = {device.id for home in config.homes for device in home.devices}
    for name, known in [(n, homes) for n, _ in options.offline] + [
        (n, devices) for n, _ in options.forge
    ]:
        if name not in known:
            raise ConfigError("", f"{name!r} is not in the configuration")
    plan = Plan(
        first=options.first or options.last,
        last=options.last,
        offline=frozenset(options.offline),
        forged=frozenset(options.forge),
        patience_s=options.patience,
    )

    async def days() -> int:
        code = 0
        async for report in simulate(config, plan):
            _show(report.as_json())
            code |= failed(report)
        return code

    return asyncio.run(days())


def _street(options: argparse.Namespace) -> int:
    from emsagent.street import write

    if options.out.exists():
        raise ConfigError("--out", f"{options.out} exists; a street is never made over another")
    gateways = dict(options.gateway)
    _show(write(options.out, options.days, gateways, int(datetime.now(UTC).timestamp())))
    return 0


def _check(config: Config, _: argparse.Namespace) -> int:
    from emsagent.check import check

    findings = check(config)
    for finding in findings:
        _show(finding)
    if not findings:
        devices = sum(len(home.devices) for home in config.homes)
        _show({"ok": True, "homes": len(config.homes), "devices": devices})
    return 1 if findings else 0


def _keys(config: Config, _: argparse.Namespace) -> int:
    from emsagent.keyring import load_or_create
    from emsagent.keys import public_hex

    for home in config.homes:
        for device in home.devices:
            key = load_or_create(config, device)
            _show({"device": device.id, "home": home.id, "alg": "ES256", "spki": public_hex(key)})
    return 0


def _claim(config: Config, options: argparse.Namespace) -> int:
    from emsagent.claiming import possession

    _show(possession(config, options.device, options.claim))
    return 0


def _rotate(config: Config, options: argparse.Namespace) -> int:
    from emsagent.rotating import rotate

    name = options.name or options.device
    restored = options.restored
    _show(rotate(config, options.device, options.from_counter, name, restored=restored))
    return 0


def _pause(config: Config, options: argparse.Namespace, *, paused: bool) -> int:
    from emsagent.steering.pausing import pause

    pause(config, options.home, paused=paused)
    return 0


def _gain(config: Config, options: argparse.Namespace) -> int:
    from emsagent.steering.gain import Offer, gain

    sign = -1 if options.direction == "down" else 1
    until = options.start + 60 * options.minutes
    offer = Offer(options.start, until, sign * options.power, options.price)
    _show(asyncio.run(gain(config, options.home, offer)))
    return 0


def _plan(options: argparse.Namespace) -> int:
    from emsagent.planner.planning import report

    _show(asyncio.run(report(options.problem)))
    return 0


def _status(config: Config, _: argparse.Namespace) -> int:
    from emsagent.status import status

    lines = status(config)
    for line in lines:
        _show(line)
    return 1 if any(line["alarms"] for line in lines) else 0
