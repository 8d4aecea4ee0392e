# One door to everything. Each target is one line; the work is in Python.
PYTHON  ?= python3
RUNTIME ?= auto
DAYS    ?= 14
NAME    ?=
STATE   ?= .pedchain

# Imports of uncompiled files cost more than the network's whole start; bytecode is wanted.
export PYTHONDONTWRITEBYTECODE =
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help
help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## .venv with everything from requirements.lock (other targets do it for you)
	@$(PYTHON) tools/bootstrap.py

.PHONY: demo
demo: setup ## the main job, end to end (RUNTIME=auto|docker|native|embedded, DAYS=14)
	@$(BIN)/ped-demo --runtime $(RUNTIME) --days $(DAYS)

.PHONY: lint
lint: setup ## format, types, imports, determinism, drift of lock and docs
	@$(BIN)/python tools/lint.py

.PHONY: test
test: setup ## unit tests, properties, scenarios on the embedded network, golden recordings
	@$(BIN)/python -m tools.run_tests test

.PHONY: conformance
conformance: setup ## scenarios on real Fabric (FABRIC_HOME), interop; says what was not found
	@$(BIN)/python -m tools.run_tests conformance

.PHONY: docker-test
docker-test: setup ## the main job and a network's life in containers (needs a container engine)
	@$(BIN)/python -m tools.run_tests docker

.PHONY: soak
soak: setup ## kills at random moments, long runs; by hand
	@$(BIN)/python -m tools.run_tests soak

.PHONY: golden
golden: setup ## record what real Fabric answers into tests/golden
	@$(BIN)/python -m tools.run_tests golden

.PHONY: docs
docs: setup ## write the tables that are made from code and tests
	@$(BIN)/python -m tools.docs

.PHONY: bench
bench: setup ## measure against a named rival (NAME=...)
	@$(BIN)/python -m bench $(NAME)

.PHONY: network-up
network-up: setup ## the consortium's network, ready when a probe was committed (RUNTIME=..., STATE=...)
	@$(BIN)/ped-network up --runtime $(RUNTIME) --state $(STATE)

.PHONY: network-down
network-down: setup ## stop the network, keep its ledgers
	@$(BIN)/ped-network down --state $(STATE)

.PHONY: network-status
network-status: setup ## every node: height, version, memory
	@$(BIN)/ped-network status --state $(STATE)

.PHONY: compose
compose: setup ## write compose.yaml from the reference consortium
	@$(BIN)/ped-network compose > compose.yaml.part && mv compose.yaml.part compose.yaml

.PHONY: lock
lock: setup ## resolve all members anew into requirements.lock
	@$(BIN)/python -m tools.lock

.PHONY: clean
clean: ## remove what builds and runs left behind, the virtual environment included
	@$(PYTHON) tools/clean.py
