# SPDX-License-Identifier: Apache-2.0
"""Each rule of the determinism lint fires on a planted fault, and only there."""

from pathlib import Path

import pytest

from pedchain_chaincode.lint import run
from pedchain_chaincode.lint.codes import BY_CODE
from pedchain_chaincode.lint.source import Sources

GUARDS = """
async def fence(ctx):
    return await ctx.stub.get_state(keys.fence())

async def blind(ctx):
    return 1
"""

METHOD = """
from planted import guards
class Metering(Contract):
    @submit
    @guarded("fence")
    async def act(self, ctx, name: str):
        await guards.fence(ctx)
        {body}
"""

FAULTS = [
    ("PD001", "import yaml"),
    ("PD001", "from pedchain_domain.sim import homes"),
    ("PD001", "from math import sqrt"),
    ("PD002", "SHARE = 0.98"),
    ("PD002", "MILLION = 1e6"),
    ("PD002", "ROOT = 1j"),
    ("PD003", "def mean(a, b): return (a + b) / 2"),
    ("PD003", "def halve(a):\n    a /= 2\n    return a"),
    ("PD003", "def inverse(a): return a ** -1"),
    ("PD004", "def rounded(a): return round(a)"),
    ("PD004", "def real(a): return float(a)"),
    ("PD004", "def both(rows): return list(map(float, rows))"),
    ("PD004", "def power(a, b): return pow(a, b)"),
    ("PD005", "import time"),
    ("PD005", "from time import time_ns"),
    ("PD005", "def when(clock): return clock.now()"),
    ("PD006", "import random"),
    ("PD006", "from secrets import token_bytes"),
    ("PD006", "import uuid"),
    ("PD007", "import os"),
    ("PD007", "from sys import argv"),
    ("PD007", "def read(p): return open(p)"),
    ("PD007", "import socket"),
    ("PD008", "def key(a): return hash(a)"),
    ("PD008", "def key(a): return id(a)"),
    ("PD009", "def f():\n    for x in {1, 2}:\n        yield x"),
    ("PD009", "def f(a): return [x for x in set(a)]"),
    ("PD009", "def f(a: frozenset[str]): return list(a)"),
    ("PD009", "def f(a):\n    b = frozenset(a)\n    c = b | {1}\n    return tuple(c)"),
    ("PD009", "def f(a, b): return [k for k in a.keys() & b.keys()]"),
    ("PD009", "def f(a): return a.popitem()"),
    ("PD009", "def f(a: set[int]): return a.pop()"),
    ("PD009", "def f(a: set[str]): return ','.join(a)"),
    ("PD009", "def f(a):\n    x, y = {1, a}\n    return x"),
    ("PD009", "def ids() -> set[str]: return set()\ndef f(): return [*ids()]"),
    ("PD009", "class A:\n    names: frozenset[str]\ndef f(a): return list(a.names)"),
    ("PD010", "import json"),
    ("PD010", "from json import loads"),
    ("PD010", "def raw(text): return bytes.fromhex(text)"),
    ("PD011", "import datetime"),
    ("PD011", "from zoneinfo import ZoneInfo"),
    ("PD012", "COUNT = 0\ndef f():\n    global COUNT\n    COUNT = 1"),
    ("PD012", "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n = 1\n    return g"),
    ("PD013", "SEEN = {}\ndef f(a): SEEN[a] = 1"),
    ("PD013", "SEEN: list[int] = []\ndef f(a): SEEN.append(a)"),
    ("PD013", "SEEN = dict()\ndef f(a): del SEEN[a]"),
    ("PD014", METHOD.format(body="self.last = name")),
    ("PD014", METHOD.format(body="self.seen.append(name)")),
    ("PD014", METHOD.format(body="Metering.count = 1")),
    ("PD015", "import threading"),
    ("PD015", "from asyncio import create_task"),
    ("PD015", "async def f(loop): await loop.gather(1)"),
    ("PD016", METHOD.format(body="await ctx.stub.put_state(f'a{name}', b'1')")),
    ("PD016", METHOD.format(body="await ctx.stub.get_state('a' + name)")),
    ("PD016", METHOD.format(body="await ctx.stub.get_private('c', '~'.join([name]))")),
    ("PD016", METHOD.format(body="key = f'a{name}'\n        await ctx.stub.del_state(key)")),
    (
        "PD017",
        METHOD.format(
            body="await ctx.stub.put_state(name, b'1')\n        await ctx.stub.get_state(name)"
        ),
    ),
    (
        "PD017",
        METHOD.format(
            body="await ctx.stub.put_private('c', name, b'1')\n"
            "        await ctx.stub.get_private('c', name)"
        ),
    ),
    ("PD016", METHOD.format(body="await save(ctx.stub, f'a{name}', {})")),
    (
        "PD017",
        METHOD.format(body="await save(ctx.stub, name, {})\n        await load(ctx.stub, name)"),
    ),
    (
        "PD017",
        METHOD.format(
            body="await vault.save(('a', name), {})\n        await vault.load('a', name)"
        ),
    ),
    ("PD018", "def f():\n    try:\n        g()\n    except:\n        pass"),
    ("PD018", "def f():\n    try:\n        g()\n    except (ValueError, Exception):\n        pass"),
    ("PD019", "class C(Contract):\n    @submit\n    async def act(self, ctx): return 1"),
    (
        "PD019",
        "class C(Contract):\n    @submit\n    @guarded('fence')\n    async def act(s, ctx): pass",
    ),
    ("PD019", METHOD.format(body="pass").replace("fence", "blind")),
    ("PD020", METHOD.format(body="ctx.stub.history(name)")),
    ("PD020", METHOD.format(body="ctx.stub.private_range('c', name, name)")),
    (
        "PD020",
        "async def look(ctx): return ctx.stub.query('{}')\n"
        + METHOD.format(body="await look(ctx)"),
    ),
    ("PD021", "def f(a): return eval(a)"),
    ("PD021", "import importlib"),
]


def lint(tmp_path: Path, text: str) -> list[str]:
    package = tmp_path / "planted"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "guards.py").write_text(GUARDS)
    (package / "contract.py").write_text(text)
    sources = Sources({"planted": package})
    _, findings = run(["planted.contract"], sources=sources, ours=["planted"])
    ours = "planted."
    return [f.code for f in findings if not (f.code == "PD001" and f.what.startswith(ours))]


@pytest.mark.parametrize(
    ("code", "text"), FAULTS, ids=[f"{c}-{i}" for i, (c, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found_under_its_code(tmp_path: Path, code: str, text: str) -> None:
    assert code in lint(tmp_path, text)


def test_every_rule_has_a_planted_fault() -> None:
    assert sorted({code for code, _ in FAULTS}) == sorted(BY_CODE)


CLEAN = [
    "def f(a: set[int]): return sorted(a), len(a), 3 in a, sum(a), max(a), {x + 1 for x in a}",
    "def f(a, b): return sorted(a.keys() & b.keys()) + [k for k in a.keys()]",
    "from math import isqrt\ndef f(a): return isqrt(a) // 2 ** 3",
    "ROWS = (1, 2)\nNAMES = {'a': 1}\ndef f(a): return NAMES[a]",
    "def f(rows):\n    rows.append(1)\n    ROWS = []\n    ROWS.append(2)\n    return ROWS",
    METHOD.format(body="await vault.save(('a', name), {})\n        await vault.load('b', name)"),
    METHOD.format(
        body="await ctx.stub.get_state(name)\n        await ctx.stub.put_state(name, b'1')"
    ),
    "class C(Contract):\n    @evaluate\n    async def look(self, ctx): ctx.stub.history('a')",
    "def f():\n    try:\n        g()\n    except ValueError:\n        return None",
]


@pytest.mark.parametrize("text", CLEAN)
def test_code_without_a_hazard_has_no_finding(tmp_path: Path, text: str) -> None:
    assert lint(tmp_path, text) == []


def test_the_lint_follows_imports_into_other_modules(tmp_path: Path) -> None:
    package = tmp_path / "deep"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("from . import maths")
    (package / "inner" / "maths.py").write_text("HALF = 0.5")
    (package / "contract.py").write_text(
        "from .inner import maths\nfrom pedchain_fabric.shim import Contract"
    )
    found, findings = run(["deep.contract"], sources=Sources({"deep": package}), ours=["deep"])
    assert [m.name for m in found.linted] == [
        "deep",
        "deep.contract",
        "deep.inner",
        "deep.inner.maths",
    ]
    assert "pedchain_fabric.shim" in found.listed
    assert "PD002" in [f.code for f in findings]


def test_a_root_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    found, _ = run(["gone.contract"], sources=Sources({"gone": tmp_path / "gone"}), ours=["gone"])
    assert found.missing == ("gone.contract",)
