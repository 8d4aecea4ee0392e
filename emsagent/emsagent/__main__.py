# SPDX-License-Identifier: Apache-2.0
"""`python -m emsagent`."""

from emsagent.cli import main

main()
