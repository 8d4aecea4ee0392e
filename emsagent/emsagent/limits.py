# SPDX-License-Identifier: Apache-2.0
"""Every bound of the agent, in one place."""

CONFIG_BYTES_MAX = 8 * 1024 * 1024
"""Largest configuration file (a street of thousands of homes is one file)."""

HOMES_MAX = 10_000
DEVICES_PER_HOME_MAX = 64

ISSUERS_MAX = 16
PLAN_BYTES_MAX = 16 * 1024 * 1024
"""What a home remembers of orders: some hundred bytes each, never forgotten."""

RECORDS_HELD_MAX = 200_000
"""Records an outbox keeps that no gateway has settled yet: five years of quarter-hours."""
SETTLED_KEPT_MAX = 10_000
"""Settled records kept for `status`; older ones are forgotten."""
ALARMS_KEPT_MAX = 1_000

READINGS_PER_RECORD_MAX = 200
"""Register values in one signed record (96 quarter-hours of two registers fit)."""
SAMPLES_PER_COLLECT_MAX = 50_000
"""Samples taken from one driver in one go; the rest waits for the next."""

POST_RECORDS_MAX = 1_000
"""The gateway's limit of records in one request."""
POST_BYTES_MAX = 1_000_000
"""Bytes of records in one request, below the gateway's 1 MiB."""
ANSWER_BYTES_MAX = 4 * 1024 * 1024

CONNECT_S = 5.0
ANSWER_S = 90.0
"""Longer than a gateway waits for its ledger (60 s), so that its own answer comes first."""
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 900.0
RETRY_AFTER_MAX_S = 3_600.0

REGISTER_LINE_BYTES_MAX = 4_096
REGISTER_COLUMNS_MAX = 32

HOMES_AT_ONCE = 16
"""Homes of a simulation that collect and send side by side (connections)."""

POWER_MAX_W = 10_000_000
SAMPLES_HELD_MAX = 1_000
"""Readings of a live meter that wait for a disk: ten days of quarter-hours."""
DEVICE_RETRY_MAX_S = 60.0
TELEGRAM_BYTES_MAX = 16 * 1024
MESSAGE_BYTES_MAX = 64 * 1024
"""One message of a device: MQTT, OCPP, a signed record."""
RECORDS_PASSED_MAX = 1_000
"""Signed records taken from one meter in one go."""
COMMAND_S = 300
"""How long a device follows what it was told without hearing it again."""
HEARTBEAT_S = 60
REASONS_LOGGED = 4
"""Slots of a plan whose reasons are logged: those before the next plan."""
ACT_S = 5.0
"""How often a setpoint is looked at."""
STANDSTILL_S = 60.0
"""How much later than it should a home's loop may go round."""
ALARMS_SHOWN = 20
REQUEST_BYTES_MAX = 8 * 1024
PROBLEM_BYTES_MAX = 4 * 1024 * 1024
ANNOUNCE_S = 30.0
EVENTS_MAX = 1_000
"""OpenADR events looked at in one turn."""
STREAM_RETRY_MAX_S = 60.0
STREAM_SILENT_S = 60.0
"""A stream that says nothing for so long, not even that it is alive, is begun anew."""
LOSS_MAX_UCUR = 10**15
MARKET_AGAIN_S = 60.0
STORES_MAX = 16
STORE_WH_MAX = 1_000_000_000
RECENT_S = 300
"""An interval so short, and so lately ended, tells what is used and made now."""
PLAN_LATE_S = 1_800
"""How much later than it should a plan may be replaced: then devices are left to themselves."""
LEVEL_AGE_S = 900
"""How old a store's level may be that a plan begins with."""
