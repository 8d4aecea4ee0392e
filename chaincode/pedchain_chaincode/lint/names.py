# SPDX-License-Identifier: Apache-2.0
"""The lists behind the rules: what may be imported, what may not be called."""

OURS = ("pedchain_chaincode", "pedchain_domain")

CODECS = {
    "pedchain_domain.canonical": ("json",),
    "pedchain_domain.text": ("base64", "fromhex", "b64decode"),
    "pedchain_chaincode.state": ("json",),  # reads only what it wrote and the policy endorsed
    "pedchain_domain.ocmf": ("json",),  # the other codec: payloads are signed as they are spelt
    "pedchain_domain.der": ("fromhex",),  # of a constant
}
"""The modules that may use lenient readers, because they check the text before or after."""

ALLOWED = (
    "__future__",
    "abc",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "itertools",
    "operator",
    "re",
    "string",
    "struct",
    "types",
    "typing",
    "zlib",
    "cryptography",
    "pedchain_chaincode",
    "pedchain_domain",
    "pedchain_fabric.shim",
    "pedchain_fabric.errors",
)
"""Modules (and what lies below them) that give every process the same answer."""

ALLOWED_NAMES = {
    "math": ("gcd", "isqrt", "comb", "lcm"),
    "asyncio": (),
    "json": (),
}
"""Modules of which only these names may be imported."""

FORBIDDEN = {
    "PD005": ("time", "sched"),
    "PD006": ("random", "secrets", "uuid", "numpy"),
    "PD007": (
        "os",
        "sys",
        "io",
        "pathlib",
        "socket",
        "subprocess",
        "locale",
        "platform",
        "tempfile",
        "shutil",
        "glob",
        "ctypes",
        "urllib",
        "http",
        "ssl",
        "signal",
        "logging",
        "grpc",
    ),
    "PD010": ("json", "base64", "pickle", "marshal"),
    "PD011": ("datetime", "zoneinfo", "calendar"),
    "PD015": ("threading", "concurrent", "multiprocessing", "queue", "asyncio"),
    "PD021": ("importlib", "runpy", "code"),
}
"""Imports with a code of their own, so that the message says what is wrong with them."""

FORBIDDEN_CALLS = {
    "PD004": ("round", "float", "complex"),
    "PD007": ("open", "input", "print", "breakpoint"),
    "PD008": ("hash", "id"),
    "PD021": (
        "eval",
        "exec",
        "compile",
        "__import__",
        "globals",
        "locals",
        "vars",
        "setattr",
        "delattr",
    ),
}
"""Builtins that may not be called."""

TASK_CALLS = ("create_task", "ensure_future", "run_in_executor", "to_thread", "gather", "TaskGroup")
LENIENT_READERS = ("fromhex", "b64decode")

FORBIDDEN_METHODS = {
    "PD004": ("as_integer_ratio", "sqrt", "fsum", "pstdev", "stdev", "total_seconds"),
    "PD005": ("now", "utcnow", "today", "time_ns", "monotonic", "perf_counter"),
    "PD015": TASK_CALLS,
}
"""Methods that may not be called, whatever they are called on."""

STATE_READS = (
    "get_state",
    "get_states",
    "get_private",
    "get_privates",
    "get_private_hash",
    "get_key_policy",
)
STATE_WRITES = (
    "put_state",
    "del_state",
    "put_private",
    "del_private",
    "purge_private",
    "set_key_policy",
)
HELPERS = ("load", "save")
"""Our own ways to the state: `documents` and `metering.vault`."""

UNCHECKED_READS = (
    "history",
    "query",
    "query_page",
    "range_page",
    "partial_composite_page",
    "all_composite_page",
    "private_range",
    "private_partial_composite",
    "private_query",
)
"""Reads that are not re-run at commit, or that Fabric refuses beside a write."""

MUTATORS = (
    "append",
    "add",
    "extend",
    "insert",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "clear",
    "remove",
    "discard",
    "sort",
    "reverse",
    "appendleft",
    "popleft",
)
