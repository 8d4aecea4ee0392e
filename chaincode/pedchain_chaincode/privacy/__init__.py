# SPDX-License-Identifier: Apache-2.0
"""Privacy of one district: retention, a data subject's export, and erasure."""
