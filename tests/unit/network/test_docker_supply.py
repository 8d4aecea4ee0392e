# SPDX-License-Identifier: Apache-2.0
"""Goal: missing images are pulled or built, and what cannot be had is named.
Method: an engine that only remembers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from pedchain_network.errors import ImageMissingError
from pedchain_network.progress import Progress
from pedchain_network.runtimes.docker import images, supply
from pedchain_network.runtimes.docker.engine import Engine

PEER, ORDERER = "hyperledger/fabric-peer:3.1.5", "hyperledger/fabric-orderer:3.1.5"


@dataclass
class FakeEngine:
    """Has some images, and a registry that has others."""

    here: set[str]
    registry: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)

    def has_image(self, name: str) -> bool:
        return name in self.here

    def find_remote(self, name: str) -> None:
        if name not in self.registry:
            raise ImageMissingError(f"image {name} is not here and does not exist there")

    def pull(self, name: str) -> None:
        self.find_remote(name)
        self.done.append(f"pull {name}")

    def label(self, name: str, key: str) -> str:
        return self.labels.get(name, {}).get(key, "")

    def build(
        self, context: Path, dockerfile: str, target: str, name: str, labels: dict[str, str]
    ) -> None:
        assert (context / dockerfile).is_file()
        self.labels[name] = labels
        self.done.append(f"build {target} {name}")


def ensure(engine: FakeEngine) -> list[str]:
    told: list[str] = []
    supply.ensure(cast(Engine, engine), "3.1.5", Progress(told.append))
    return told


def test_nothing_is_done_if_all_images_are_here_and_of_this_source() -> None:
    engine = FakeEngine({PEER, ORDERER})
    ensure(engine)
    engine.done.clear()
    assert ensure(engine) == []
    assert engine.done == []


def test_an_image_older_than_its_source_is_built_anew() -> None:
    engine = FakeEngine({PEER, ORDERER, images.own("chaincode")})
    engine.labels[images.own("chaincode")] = {supply.SOURCE: "of last week"}
    ensure(engine)
    assert engine.done == [f"build chaincode {images.own('chaincode')}"]


def test_a_changed_line_of_code_is_another_source(tmp_path: Path) -> None:
    for member in images.MEMBERS["agent"]:
        (tmp_path / member).mkdir()
        (tmp_path / member / "pyproject.toml").write_text("[project]\n")
        (tmp_path / member / "code.py").write_text("limit = 1\n")
    (tmp_path / "images").mkdir()
    for name in ("Dockerfile", "agent.lock", "build.lock"):
        (tmp_path / "images" / name).touch()
    before = images.digest("agent", tmp_path)
    assert images.digest("agent", tmp_path) == before
    (tmp_path / "domain" / "code.py").write_text("limit = 2\n")
    assert images.digest("agent", tmp_path) != before


def test_fabric_is_pulled_and_ours_is_built_and_both_are_told() -> None:
    engine = FakeEngine({ORDERER}, registry={PEER})
    told = ensure(engine)
    assert engine.done == [f"pull {PEER}", f"build chaincode {images.own('chaincode')}"]
    assert sum("is not here" in line for line in told) == 2


def test_ours_is_pulled_where_there_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "source", lambda: None)
    engine = FakeEngine({PEER, ORDERER}, registry={images.own("chaincode")})
    ensure(engine)
    assert engine.done == [f"pull {images.own('chaincode')}"]


def test_an_image_that_cannot_be_had_is_named() -> None:
    engine = FakeEngine({ORDERER})
    with pytest.raises(ImageMissingError, match=PEER):
        ensure(engine)
    assert PEER in supply.obstacle(cast(Engine, engine), "3.1.5")


def test_images_here_or_in_reach_are_no_obstacle() -> None:
    engine = FakeEngine({ORDERER}, registry={PEER})
    assert supply.obstacle(cast(Engine, engine), "3.1.5") == ""
    assert engine.done == []
