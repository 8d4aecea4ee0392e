# SPDX-License-Identifier: Apache-2.0
"""`python -m pedchain_network` is `ped-network`."""

from pedchain_network.cli.main import main

main()
