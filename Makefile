PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup lint test

help: ## print the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

setup: $(VENV)/.installed ## install everything but the server into .venv

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup-server: .venv-server/.installed ## install the CPU profile's server into .venv-server

.venv-server/.installed: deploy/requirements-server.txt pixels/pyproject.toml $(wildcard pixels/*.py)
	test -x .venv-server/bin/python || $(PYTHON) -m venv .venv-server
	grep nvidia-pytriton deploy/requirements-server.txt | .venv-server/bin/pip install --quiet --no-deps --requirement /dev/stdin
	grep -v nvidia-pytriton deploy/requirements-server.txt | .venv-server/bin/pip install --quiet --requirement /dev/stdin
	.venv-server/bin/pip install --quiet --no-deps --force-reinstall ./pixels && rm -r pixels/build pixels/*.egg-info
	@touch $@

PROFILE ?= cpu
HTTP_PORT ?= 8000
GRPC_PORT ?= 8001
METRICS_PORT ?= 8002

serve: setup-server ## serve on this machine: PROFILE=cpu HTTP_PORT=8000 GRPC_PORT=8001 METRICS_PORT=8002
	@.venv-server/bin/python -m deploy.launcher --http-port $(HTTP_PORT) --grpc-port $(GRPC_PORT) --metrics-port $(METRICS_PORT)

demo: setup setup-server ## enhance a photo on a server of its own: IN=photo.jpg
	@$(RUN) -m deploy.demo $(if $(IN),"$(IN)")

lint: setup ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test: setup setup-server lint ## run every test, with real servers
	$(RUN) -m pytest
