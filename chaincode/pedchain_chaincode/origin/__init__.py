# SPDX-License-Identifier: Apache-2.0
"""Origin of one district's energy: hourly granular certificates, from issue to claim or export."""
