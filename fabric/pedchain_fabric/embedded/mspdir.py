# SPDX-License-Identifier: Apache-2.0
"""A node's MSP folder: its signing identity and its organisation's MSP.

Source: msp/configbuilder.go (the folder's layout and what config.yaml may say).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from fabric_protos.msp.msp_config_pb2 import (
    FabricCryptoConfig,
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)

from pedchain_fabric.embedded.config import ConfigError
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer
from pedchain_fabric.wire.msp import Msp


@dataclass(frozen=True, slots=True)
class LocalMsp:
    """Who a node is, and the MSP that judges calls without a channel."""

    identity: SigningIdentity
    msp: Msp


def load(msp_id: str, folder: Path) -> LocalMsp:
    """Reads signcerts, keystore, the CA folders and config.yaml. Raises ConfigError."""
    try:
        certificate = _only(folder / "signcerts")
        signer = load_signer(_only(folder / "keystore"))
        msp = Msp.from_config(_config(msp_id, folder))
        identity = SigningIdentity(msp_id, certificate, signer)
        msp.validate(identity.identity)
    except FabricError as error:
        raise ConfigError(f"MSP folder {folder.name} of {msp_id}: {error}") from error
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"MSP folder {folder.name} of {msp_id}: unreadable: {error}") from error
    return LocalMsp(identity, msp)


def digest(folder: Path) -> bytes:
    """Changes with any file of the folder. Raises ConfigError."""
    total = hashlib.sha256()
    try:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            content = hashlib.sha256(path.read_bytes()).digest()
            total.update(str(path.relative_to(folder)).encode() + b"\0" + content)
    except OSError as error:
        raise ConfigError(f"MSP folder {folder.name}: unreadable: {error}") from error
    return total.digest()


def _only(folder: Path) -> bytes:
    files = _files(folder)
    if not files:
        raise ConfigError(f"{folder} holds no file")
    return files[0]


def _files(folder: Path) -> list[bytes]:
    if not folder.is_dir():
        return []
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]


def _config(msp_id: str, folder: Path) -> MSPConfig:
    config = FabricMSPConfig(
        name=msp_id,
        root_certs=_files(folder / "cacerts"),
        intermediate_certs=_files(folder / "intermediatecerts"),
        admins=_files(folder / "admincerts"),
        revocation_list=_files(folder / "crls"),
        tls_root_certs=_files(folder / "tlscacerts"),
        tls_intermediate_certs=_files(folder / "tlsintermediatecerts"),
        crypto_config=FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
    )
    path = folder / "config.yaml"
    if path.is_file():
        _apply(config, yaml.safe_load(path.read_text(encoding="utf-8")) or {}, folder)
    return MSPConfig(type=0, config=config.SerializeToString(deterministic=True))


def _apply(config: FabricMSPConfig, document: dict[str, Any], folder: Path) -> None:
    for unit in document.get("OrganizationalUnitIdentifiers") or ():
        config.organizational_unit_identifiers.append(_unit(unit, folder))
    node_ous = document.get("NodeOUs") or {}
    if node_ous.get("Enable"):
        config.fabric_node_ous.CopyFrom(_node_ous(node_ous, folder))


def _node_ous(document: dict[str, Any], folder: Path) -> FabricNodeOUs:
    ous = FabricNodeOUs(enable=True)
    for role in ("client", "peer", "admin", "orderer"):
        unit = document.get(f"{role.capitalize()}OUIdentifier")
        if unit and unit.get("OrganizationalUnitIdentifier"):
            getattr(ous, f"{role}_ou_identifier").CopyFrom(_unit(unit, folder))
    return ous


def _unit(document: dict[str, Any], folder: Path) -> FabricOUIdentifier:
    certificate = document.get("Certificate")
    return FabricOUIdentifier(
        certificate=(folder / certificate).read_bytes() if certificate else b"",
        organizational_unit_identifier=document["OrganizationalUnitIdentifier"],
    )
