# Two targets are all a newcomer needs: `make repro` and `make test`.
# Both set the environment up when it is missing; a second call does not do it again.

SHELL := /bin/bash
PYTHON ?= python3
EXTRAS ?=
ifneq ($(filter-out gpu,$(EXTRAS)),)
$(error EXTRAS=$(EXTRAS) is not known; the one extra is gpu)
endif
VENV := .venv
# An environment with the extra serves without it as well.
KIND := $(if $(EXTRAS)$(wildcard $(VENV)/.installed-gpu),gpu,dev)
LOCK := requirements-$(KIND).txt
STAMP := $(VENV)/.installed-$(KIND)
# DVC runs `python` from PATH: ours has to come first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help setup repro test test-all check lock check-params clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## Make the environment .venv with the locked requirements (EXTRAS=gpu: CUDA).

$(STAMP): $(LOCK)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("error: $(PYTHON) is Python %d.%d; 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." % v)'
	@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing $(LOCK) into $(VENV)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@rm -f $(VENV)/.installed-*
	@touch $@

repro: setup check-params ## Run the whole pipeline; what has not changed comes from the cache.
	@python -m dvc repro

check-params: setup ## Validate the whole params.yaml.
	@PYTHONPATH=src python -m cifar_pipeline.params.check

test: setup ## Run the tests.
	@python -m pytest -m "not slow"

test-all: setup ## Run the tests and the long campaigns.
	@python -m pytest

check: setup ## Lint, format check, types.
	@python -m ruff check .
	@python -m ruff format --check .
	@python -m mypy

COMPILE := python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate pyproject.toml

# requirements.txt is what train and evaluate depend on: a new linter does not retrain a model.
lock: setup ## Write the hash-pinned requirements anew from pyproject.toml.
	@$(COMPILE) -o requirements.txt
	@$(COMPILE) -c requirements.txt --extra dev -o requirements-dev.txt
	@$(COMPILE) -c requirements.txt --extra dev --extra gpu -o requirements-gpu.txt

clean: ## Remove the environment; data, models and DVC's cache stay.
	@rm -rf $(VENV)
