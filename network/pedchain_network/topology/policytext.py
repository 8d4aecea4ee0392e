# SPDX-License-Identifier: Apache-2.0
"""Policies of a topology: well-formed, about organisations we have, in the role meant."""

from collections.abc import Sequence

from fabric_protos.msp.msp_principal_pb2 import MSPRole

from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import parse
from pedchain_network.topology.model import Organization
from pedchain_network.topology.yamlnode import Value


def check(value: Value, organizations: Sequence[Organization], role: str) -> str:
    """The policy's text, once every principal is one of our organisations in `role`.

    Endorsement must say `peer`: with `member` a client's certificate could endorse too. Raises
    `TopologyError`.
    """
    text = value.text()
    try:
        principals = [parse(MSPRole, each.principal) for each in policy.parse(text).identities]
    except PolicyError as error:
        raise value.fail(str(error), "see Fabric's policy language: AND, OR, OutOf") from error
    known = {organization.msp_id for organization in organizations}
    for principal in principals:
        if principal.msp_identifier not in known:
            raise value.fail(
                f"{principal.msp_identifier!r} is no MSP here", f"known: {', '.join(sorted(known))}"
            )
        if MSPRole.MSPRoleType.Name(principal.role).lower() != role:
            raise value.fail(
                f"{principal.msp_identifier} must act as {role} here",
                f"write '{principal.msp_identifier}.{role}'",
            )
    return text
