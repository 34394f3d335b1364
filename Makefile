# What is done here, each in one word. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
ENGINES = docker.io podman netavark iproute2 mmdebstrap openssh-client openssh-server skopeo buildah
INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement

.DEFAULT_GOAL := help
.PHONY: help run test test-engines test-long check journey image kiosk sim mutants bench screenshots

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv/runtime ## start the wizard on this machine; PORT=8100 for another port, WIZARD_DATA=folder for other data
	@exec $(BIN)/flask --app app up

kiosk: .venv/runtime ## a kiosk for a trade fair, with a time machine; PORT=8100 for another port, KIOSK_VISITORS=4 for more at once
	@exec $(BIN)/flask --app app kiosk

test: .venv/development check ## all checks and tests; as root on Debian it installs the browser they need
	@.ci/packages
	$(BIN)/python -m pytest

test-engines: .venv/development ## the tests on real Docker, Podman and Swarm; as root on Debian it installs them; TESTS=file for some
	@.ci/packages $(ENGINES)
	$(BIN)/python -m pytest -m "engine and not long" $(TESTS)

test-long: .venv/development ## the tests that take minutes; as root on Debian it installs the engines they need
	@.ci/packages $(ENGINES) default-jdk-headless
	$(BIN)/python -m pytest -m long

check: .venv/development ## format, lint, types, imports
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

journey: .venv/development ## the whole job over HTTP, each step told
	@$(BIN)/python -m tests.journey

image: .venv/runtime ## make a licence image in dist/, from the Dockerfile where an engine is at hand; ENGINE=podman, BASE=image
	@mkdir -p dist
	@$(BIN)/flask --app app vendor base --build --engine "$(ENGINE)" --image "$(BASE)"
	@$(BIN)/flask --app app vendor issue --company "Example Company" --project "Sales reports" --registrations 6 \
		--out dist/fanruan_license_server.tar
	@$(BIN)/python -m tests.image_sizes dist/fanruan_license_server.tar

sim: .venv/development ## years of one authorization application and its projects, against an independent oracle
	@$(BIN)/python -m tests.simulation

mutants: .venv/development ## plant faults in the rules; each must be found
	@$(BIN)/python -m tests.mutants

bench: .venv/development ## measure speed and memory; BENCH=name for one
	@$(BIN)/python -m bench

screenshots: .venv/development ## take the pictures in docs/ anew
	@$(BIN)/python -m tests.screenshots

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed." if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt | .venv/bin/python
	@echo "Installing the packages into .venv …"
	@$(INSTALL) requirements.txt
	@touch $@

.venv/development: requirements-dev.txt | .venv/bin/python
	@echo "Installing the packages and the tools into .venv …"
	@$(INSTALL) requirements-dev.txt
	@touch $@
