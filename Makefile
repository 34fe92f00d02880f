# Two targets are all a newcomer needs: `make repro` and `make test`.
# Both set the environment up when it is missing; a second call does not do it again.

SHELL := bash
PYTHON ?= python3
VENV := .venv
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
ifeq ($(filter ./ $(CURDIR)/,$(HERE)),)
$(error run make in the project's folder: make -C FOLDER, not make -f FOLDER/Makefile)
endif
KNOWN_EXTRAS := gpu jax ssh s3 export codec
EXTRAS ?=
UNKNOWN := $(filter-out $(KNOWN_EXTRAS),$(EXTRAS))
ifneq ($(UNKNOWN),)
$(error EXTRAS: $(UNKNOWN) is not known; the extras are $(KNOWN_EXTRAS))
endif
# requirements.txt runs the pipeline; an extra, or dev, goes on top of it. Each leaves a stamp:
# nothing is installed twice, and what was installed once stays, in step with its lock.
STAMPS := $(sort $(wildcard $(VENV)/.installed-*) \
	$(patsubst %,$(VENV)/.installed-%,runtime commands $(EXTRAS)))
# Made or moved by somebody else, half made, of a Python that is gone: what is there is made anew.
INSTALLATION := src/cifar_pipeline/installation.py
# A Python that the user has named, in the environment or as an argument of make.
NAMED := $(if $(filter file,$(origin PYTHON)),,--python '$(PYTHON)')
ifneq ($(wildcard $(VENV)/*),)
FAULT := $(shell '$(VENV)/bin/python' -I $(INSTALLATION) check --venv $(VENV) $(NAMED) 2>/dev/null \
	|| echo its Python does not start)
endif
ifneq ($(FAULT),)
$(STAMPS): again
endif
# What a user's shell tells Python, another project's code for instance, is not for this one.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONUSERBASE PYTHONEXECUTABLE
OUTSIDE := $(PATH)
# DVC runs `python` from PATH: ours has to come first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev repro codec check-params verify push test test-unit test-all \
	test-results check benchmark docs lock clean again git-or-not in-git
# Two installations at once would spoil each other.
.NOTPARALLEL:

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMPS) ## Make the environment .venv (EXTRAS="ssh s3": remotes' clients; gpu: CUDA; jax: JAX with CUDA; export: packages of export formats; codec: the range coder of compress).

setup-dev: setup $(VENV)/.installed-dev

define install
@$(VENV)/bin/python -I $(INSTALLATION) install --venv $(VENV) --require-hashes -r $(filter %.txt,$^)
@touch $@
endef

again: ;

# Not with the Python of the environment that is there.
$(VENV)/.installed-runtime: export PATH := $(OUTSIDE)
$(VENV)/.installed-runtime: export FAULT := $(FAULT)
$(VENV)/.installed-runtime: requirements.txt
	@command -v $(firstword $(PYTHON)) >/dev/null || { echo "error: there is no $(PYTHON); Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -E -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("error: $(PYTHON) is Python %d.%d; 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." % v)'
	@$(PYTHON) -I $(INSTALLATION) create --venv $(VENV) --python '$(PYTHON)' --fault "$$FAULT"
	$(install)

# The console script `cifar-pipeline`. The stages do not need it: they run the src beside them.
$(VENV)/.installed-commands: pyproject.toml | $(VENV)/.installed-runtime
	@$(VENV)/bin/python -I $(INSTALLATION) install --venv $(VENV) --no-deps --no-index \
	  --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-%: requirements-%.txt | $(VENV)/.installed-runtime
	$(install)

# DVC stops in a source archive, which is no Git repository, unless it is told.
git-or-not: setup
	@python -I src/cifar_pipeline/checkout.py

in-git:
	@said=$$(LC_ALL=C git rev-parse --git-dir 2>&1) || { case "$$said" in \
	  *"dubious ownership"*) echo "error: another user's clone, which Git refuses until you run: git config --global --add safe.directory '$(CURDIR)'";; \
	  *) echo "error: the tests need a Git clone, and this is none: git init && git add -A && git commit -m start";; \
	  esac >&2; exit 1; }

repro: setup check-params git-or-not ## Run the whole pipeline; what has not changed comes from the cache.
	@# A kill while DVC writes one of these two leaves it torn, and every later `dvc repro` would fail.
	@# Without dvc.lock, DVC finds what has run in its cache.
	@python -m json.tool .dvc/tmp/rwlock >/dev/null 2>&1 || rm -f .dvc/tmp/rwlock
	@if [ -e dvc.lock ] && { [ ! -s dvc.lock ] || [ -n "$$(tail -c 1 dvc.lock)" ]; }; then \
	  echo "dvc.lock is torn, as by a kill: made anew from DVC's cache"; rm dvc.lock; fi
	@PYTHONPATH=src python -m cifar_pipeline.reproduce

codec: setup $(VENV)/.installed-codec git-or-not ## Run the pipeline of the lossy codec, a DVC project of its own (ARGS=train: one stage).
	@python -m dvc repro preprocess
	@cd codec && python -m dvc repro $(ARGS)

check-params: setup ## Validate the whole params.yaml.
	@PYTHONPATH=src python -m cifar_pipeline.check_params

verify: setup git-or-not ## Look for damage in DVC's cache (ARGS=--repair: mend it).
	@PYTHONPATH=src python -m cifar_pipeline.dvc_cache.verify $(ARGS)

# `dvc push` ends with exit code 0 although it leaves out
# - a branch or tag whose own .dvc/config lacks the remote: the present .dvc/config serves for all;
# - what an earlier push noted as sent or as not wanted: this one starts without such notes;
# - a run record that failed on its way: an ERROR in what it says fails this.
# What it says may hold a remote's address with its login, which is masked.
push: setup git-or-not ## Push every run, and the outs of all branches and tags (REMOTE=name: not the default).
	@set -o pipefail; scratch=$$(mktemp -d 2>/dev/null || mktemp -d -p '$(CURDIR)/.dvc/tmp') || exit 1; trap 'rm -rf "$$scratch"' EXIT; \
	DVC_SYSTEM_CONFIG_DIR=.dvc DVC_SITE_CACHE_DIR=$$scratch/notes python -m dvc push \
	  --run-cache --all-branches --all-tags $(addprefix --remote=,$(REMOTE)) 2>&1 \
	  | PYTHONPATH=src python -m cifar_pipeline.common.credentials $$scratch/said \
	  && ! grep -q ^ERROR $$scratch/said

# A process a core; more than four would want much memory for TensorFlow. A file's tests share runs;
# the files come in order, the quick ones of tests/unit last, so that no core waits long at the end.
SPREAD := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: in-git setup-dev ## Run the tests.
	@python -m pytest $(SPREAD) -m "not slow and not results"

test-unit: in-git setup-dev ## Run the quick tests of src and docs: a developer's loop.
	@python -m pytest $(SPREAD) -m "not slow and not results and not trains" tests/unit tests/docs

test-all: in-git setup-dev ## Run the tests and the long campaigns.
	@python -m pytest $(SPREAD) -m "not results"

test-results: in-git setup-dev ## Test what `make repro` has left: exports, warning, page.
	@python -m pytest -m results tests/results

check: setup-dev ## Lint, format check, types.
	@python -m ruff check .
	@python -m ruff format --check .
	@python -m mypy

COMPILE := python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

benchmark: $(if $(findstring --known,$(ARGS)),setup,repro) ## Write the tables of results, what they lack measured first (hours; ARGS=--known: nothing).
	@python benchmarks/performance.py $(ARGS)

docs: setup ## Write docs/reference/ and the table of docs/reliability.md anew from what they describe.
	@PYTHONPATH=src python docs/reference/generate.py
	@python docs/reference/faults.py

# requirements.txt is what train and evaluate depend on: a new linter does not retrain a model.
lock: setup-dev ## Write the hash-pinned requirements anew from pyproject.toml.
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) pyproject.toml -c requirements.txt --extra dev -o requirements-dev.txt
	@for extra in $(KNOWN_EXTRAS); do \
	  $(COMPILE) pyproject.toml -c requirements.txt -c requirements-dev.txt --extra $$extra \
	    -o requirements-$$extra.txt || exit; \
	done
	@$(COMPILE) tests/locks/keras-3.6.in -o tests/locks/keras-3.6.txt

clean: ## Remove the environment; data, models and DVC's cache stay.
	@rm -rf $(VENV)
