# SPDX-License-Identifier: Apache-2.0
"""Planning a home's stores over the coming hours: what to keep, what to give, and why."""
