# SPDX-License-Identifier: Apache-2.0
"""Asks a service's /healthz over TLS: `healthz.py PORT CA`. Exit code 0 if all is well there."""

import ssl
import sys
import urllib.request

port, authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
with urllib.request.urlopen(f"https://localhost:{port}/healthz", context=context, timeout=4):
    pass
