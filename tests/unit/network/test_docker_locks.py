# SPDX-License-Identifier: Apache-2.0
"""Goal: images hold what was locked and tested, nothing else. Method: compare the files."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pedchain_network.runtimes.docker.images import MEMBERS
from tools.imagelocks import BACKEND, ROLES, blocks

ROOT = Path(__file__).resolve().parents[3]


def lock(path: str) -> dict[str, str]:
    return blocks((ROOT / path).read_text())


@pytest.mark.parametrize("image", [*ROLES, "build"])
def test_every_package_is_the_locks_with_its_hashes(image: str) -> None:
    whole = lock("requirements.lock")
    part = lock(f"images/{image}.lock")
    assert part
    for name, entry in part.items():
        assert hashes(entry)
        assert version(entry) == version(whole[name])
        assert hashes(entry) <= hashes(whole[name])


@pytest.mark.parametrize("image", MEMBERS)
def test_what_the_members_name_is_there(image: str) -> None:
    part = lock(f"images/{image}.lock")
    for member in MEMBERS[image]:
        project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
        for text in project["dependencies"]:
            name = canonicalize_name(Requirement(text).name)
            assert name in part or name.startswith("pedchain-"), (member, name)


@pytest.mark.parametrize("image", MEMBERS)
def test_what_tests_and_tools_need_is_not_there(image: str) -> None:
    part = lock(f"images/{image}.lock")
    assert not {"pytest", "mypy", "ruff", "uv", BACKEND, "docker"} & set(part)


@pytest.mark.parametrize("image", MEMBERS)
def test_the_dockerfile_installs_these_members(image: str) -> None:
    text = (ROOT / "images" / "Dockerfile").read_text()
    stage = text.split(f"AS {image}-build\n")[1].split("\nFROM")[0]
    assert tuple(re.findall(r"^COPY (\w+) \1$", stage, re.MULTILINE)) == MEMBERS[image]


def test_nothing_of_this_machine_is_in_the_images_sources() -> None:
    for path in (ROOT / "images").iterdir():
        assert not re.search(r"https?://(?!localhost)|/etc/ssl|index-url", path.read_text()), path


def test_images_do_not_run_as_root() -> None:
    stages = (ROOT / "images" / "Dockerfile").read_text().split("\nFROM ")[1:]
    final = [stage for stage in stages if re.match(r"\S+ AS (chaincode|gateway|agent)\n", stage)]
    assert len(final) == len(MEMBERS)
    assert all(re.search(r"^USER [1-9]\d*:[1-9]\d*$", stage, re.MULTILINE) for stage in final)


def version(entry: str) -> str:
    return entry.partition("==")[2].split()[0]


def hashes(entry: str) -> set[str]:
    return set(re.findall(r"--hash=(\S+)", entry))
