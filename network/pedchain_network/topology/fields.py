# SPDX-License-Identifier: Apache-2.0
"""Checks that several sections of a topology share: names, hosts, nothing twice."""

import ipaddress
import re
from collections.abc import Iterable

from pedchain_network.topology.organization import LOOPBACK
from pedchain_network.topology.yamlnode import Value

DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?")

_DIGITS_AND_DOTS = re.compile(r"[0-9.]+")
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - told, not bound


def name(value: Value, pattern: re.Pattern[str], allowed: str) -> str:
    """A text of that form. Raises `TopologyError`."""
    text = value.text()
    if not pattern.fullmatch(text):
        raise value.fail(f"{text!r} is no name we can use", f"use {allowed}")
    return text


def unique(value: Value, name: str, others: Iterable[str]) -> None:
    """`name` is none of the others. Raises `TopologyError`."""
    if name in others:
        raise value.fail(f"{name!r} stands twice", "remove or rename one")


def host(value: Value) -> str:
    """A host that others can dial: an IPv4 address or a DNS name. Raises `TopologyError`."""
    text = value.text()
    if text == _EVERYWHERE:
        raise value.fail(
            f"nobody can dial {text}", f"write the address others dial, and `listen: {text}`"
        )
    if not is_address(text) and not _is_dns_name(text):
        raise value.fail(f"{text!r} is no host", f"write {LOOPBACK}, an IPv4 address or a DNS name")
    return text


def listen(value: Value) -> str:
    """An address that nodes can bind. Raises `TopologyError`."""
    text = value.text()
    if text != "localhost" and not is_address(text):
        raise value.fail(
            f"{text!r} is no address to bind", f"write {LOOPBACK}, {_EVERYWHERE} or one of the host"
        )
    return text


def is_address(text: str) -> bool:
    """Is it an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_dns_name(text: str) -> bool:
    return bool(DNS_NAME.fullmatch(text)) and not _DIGITS_AND_DOTS.fullmatch(text)
