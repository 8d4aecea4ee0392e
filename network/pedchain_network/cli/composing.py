# SPDX-License-Identifier: Apache-2.0
"""`compose`: the compose file that a topology stands for."""

from pedchain_network.cli.app import TopologyOption, app


@app.command
def compose(*organizations: str, topology: TopologyOption = None) -> int:
    """Print the compose file of a topology, or of these organisations of it alone."""
    from pedchain_network.runtimes.docker import composefile
    from pedchain_network.topology import reader

    consortium = reader.load(topology or reader.reference())
    for name in organizations:
        consortium.by_name(name)
    print(composefile.text(consortium, organizations), end="")
    return 0
