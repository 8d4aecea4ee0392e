# SPDX-License-Identifier: Apache-2.0
"""Command `ped-chaincode`: serve the contracts to peers, lint them for determinism."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the runtime takes a third of a second to import: `lint` needs none of it
    from pedchain_fabric.shim import Contract, Package, Tls

PACKAGES = ("registry", "metering", "settlement")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    parser = argparse.ArgumentParser(prog="ped-chaincode", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve packages to peers until SIGTERM")
    serve.add_argument(
        "--package",
        action="append",
        required=True,
        metavar="NAME=ADDRESS=CCID",
        help=f"a contract package ({', '.join(PACKAGES)}), where to listen, its package id",
    )
    files = (("--tls-cert", "its certificate"), ("--tls-key", "its key"))
    for option, what in (*files, ("--client-ca", "whose certificates peers must show")):
        serve.add_argument(option, type=Path, metavar="PEM", help=f"TLS: {what}; or by variables")
    lint = commands.add_parser("lint", help="determinism lint of contracts and all they reach")
    lint.add_argument("modules", nargs="*", help="modules that hold contracts; default: all ours")
    lint.add_argument(
        "--ignore", action="append", default=[], metavar="CODE", help="a rule that is not wanted"
    )
    parsed = parser.parse_args(arguments)
    if parsed.command == "lint":
        return _lint(parsed.modules, parsed.ignore)
    return _serve(parsed.package, (parsed.tls_cert, parsed.tls_key, parsed.client_ca))


def _lint(modules: Sequence[str], ignored: Sequence[str]) -> int:
    from pedchain_chaincode.lint import CONTRACTS, codes, names, run
    from pedchain_chaincode.lint.source import Sources

    sys.path.insert(0, str(Path.cwd()))  # as with `python -m`: one's own modules lie there
    if unknown := sorted(set(ignored) - set(codes.BY_CODE)):
        print(f"ped-chaincode: no such rule: {', '.join(unknown)}", file=sys.stderr)
        return 2
    # Whoever names a module of another package wants the rest of that package looked at too.
    ours = (*names.OURS, *sorted({module.partition(".")[0] for module in modules}))
    sources = Sources()
    named = tuple(each for module in modules for each in sources.below(module))
    found, all_ = run(named or CONTRACTS, sources=sources, ours=ours)
    findings = [finding for finding in all_ if finding.code not in ignored]
    for finding in findings:
        print(finding)
    for name in found.missing:
        print(f"{name}: no such module")
    print(
        f"{len(findings)} findings in {len(found.linted)} modules; "
        f"the runtime, not linted: {', '.join(found.listed) or 'none'}"
    )
    return 1 if findings or found.missing else 0


def _serve(texts: Sequence[str], files: Sequence[Path | None]) -> int:
    try:
        tls = _tls(*files)
        serve([package(text, tls) for text in texts])
    except (OSError, ValueError) as error:
        print(f"ped-chaincode: {error}", file=sys.stderr)
        return 1
    return 0


def serve(packages: "Sequence[Package]") -> None:
    """Serve packages until the process is told to end."""
    from pedchain_fabric import shim

    shim.run(packages, _listening)


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> "Tls | None":
    """The material the options name, or else the environment, as a container is told."""
    from pedchain_fabric.shim import Tls

    if certificate is None and key is None and client_ca is None:
        return Tls.from_environment()
    if certificate is None or key is None or client_ca is None:
        raise ValueError("--tls-cert, --tls-key and --client-ca go together: TLS is mutual")
    return Tls(certificate.read_bytes(), key.read_bytes(), client_ca.read_bytes())


def package(text: str, tls: "Tls | None" = None) -> "Package":
    """The package of a NAME=ADDRESS=CCID argument. Raises `ValueError`."""
    from pedchain_fabric.shim import Package

    name, _, rest = text.partition("=")
    address, _, ccid = rest.partition("=")
    if name not in PACKAGES or not address or not ccid:
        raise ValueError(f"not NAME=ADDRESS=CCID with a name of {', '.join(PACKAGES)}: {text}")
    return Package(ccid, address, contracts(name), tls=tls, code=("pedchain_domain",))


def contracts(name: str) -> "list[Contract]":
    """The contracts a package serves; the first answers calls that name none."""
    if name == "registry":
        from pedchain_chaincode.registry.contract import RegistryContract

        return [RegistryContract()]
    if name == "settlement":
        from pedchain_chaincode.flexibility.ordering import OrderingContract
        from pedchain_chaincode.settlement.clock import ClockContract
        from pedchain_chaincode.settlement.market import MarketContract
        from pedchain_chaincode.settlement.sharing import SharingContract
        from pedchain_chaincode.settlement.tokens import TokensContract

        return [
            TokensContract(),
            ClockContract(),
            MarketContract(),
            SharingContract(),
            OrderingContract(),
        ]
    from pedchain_chaincode.flexibility.contract import FlexibilityContract
    from pedchain_chaincode.metering.contract import MeteringContract
    from pedchain_chaincode.metering.membership import MembershipContract
    from pedchain_chaincode.origin.contract import OriginContract
    from pedchain_chaincode.privacy.contract import PrivacyContract

    return [
        MeteringContract(),
        MembershipContract(),
        OriginContract(),
        PrivacyContract(),
        FlexibilityContract(),
    ]


def _listening(served: "Package", address: str) -> None:
    print(f"serving {served.contracts[0].name} on {address}", flush=True)
