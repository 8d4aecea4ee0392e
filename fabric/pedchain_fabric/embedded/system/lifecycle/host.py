# SPDX-License-Identifier: Apache-2.0
"""What `_lifecycle` needs of the peer it is part of."""

from collections.abc import Mapping
from typing import Protocol

from pedchain_fabric.embedded.acl import Acl
from pedchain_fabric.embedded.approvals import Approvals
from pedchain_fabric.embedded.store import PackageStore


class Host(Protocol):
    """The peer."""

    @property
    def msp_id(self) -> str:
        """The peer's organisation."""
        ...

    @property
    def acl(self) -> Acl:
        """Who may call what."""
        ...

    @property
    def packages(self) -> PackageStore:
        """Installed packages."""
        ...

    @property
    def chaincode_values(self) -> Mapping[str, str]:
        """Values for the templates of connection.json."""
        ...

    def approvals(self) -> Mapping[str, Approvals]:
        """Each joined channel's chaincode, as this peer sees it."""
        ...
