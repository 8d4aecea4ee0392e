# SPDX-License-Identifier: Apache-2.0
"""`python -m pedchain_gateway`."""

from pedchain_gateway.cli import main

main()
