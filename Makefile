# The two commands of a newcomer: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= 2
EXPERIMENT ?= miniature
ENVIRONMENT := .venv/.complete
# What `make gpu-pack` brings, in place of a network.
WHEELS := $(if $(wildcard wheels),--no-index --find-links wheels)
PACKAGES := envs/debian.txt
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Nothing here talks to a hub or sends usage statistics.
export HF_HUB_OFFLINE ?= 1
export HF_DATASETS_OFFLINE ?= 1
export HF_HUB_DISABLE_TELEMETRY := 1
# Who has no entry in passwd, as in a container, has no name and no folder, both of which Snakemake wants.
ifeq ($(LOGNAME)$(USER)$(shell getent passwd "$$(id -u)" 2>/dev/null),)
export LOGNAME := uid-$(shell id -u)
endif
ifeq ($(shell [ -n "$$HOME" ] && [ -w "$$HOME" ] && echo yes),)
export HOME := $(CURDIR)/.snakemake/home
endif

.PHONY: help demo dev test test-slow test-cluster test-long test-stage test-fast \
  debian experiment lint env lock bench gpu-check gpu-pack docs clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

# `miniature-full` and `miniature-forms` are laid over the miniature; every other experiment stands on config.yaml alone.
CONFIGFILES = $(if $(filter miniature-full miniature-forms,$(EXPERIMENT)),experiments/miniature.yaml) \
  experiments/$(EXPERIMENT).yaml $(OVERLAY)

# The kernel's lock ends with its holder; Snakemake's own stays behind when a run is killed.
demo: experiment $(ENVIRONMENT) ## Set up, run the miniature study on this machine (EXPERIMENT=miniature-full: the large one)
	@limaflow config check config.yaml $(CONFIGFILES) >/dev/null
	@trap 'echo "Stopped. The same command goes on where this one was."; exit 130' INT; \
	  LIMAFLOW_LOCKED=1 flock --nonblock --conflict-exit-code 75 .snakemake.lock bash -c \
	    'echo "make demo EXPERIMENT=$(EXPERIMENT), process $$$$, since $$(date +%H:%M)" >.snakemake.run; exec "$$@"' - \
	    snakemake --nolock --retries 1 --cores $(CORES) --configfile $(CONFIGFILES) \
	  || { [ $$? = 75 ] && echo "error: another run works in this folder: $$(cat .snakemake.run 2>/dev/null)" \
	       || echo "error: the study did not end; the message above says why"; exit 1; }
	@echo
	@limaflow report answer results/$(EXPERIMENT)
	@echo
	@echo "The report: $(CURDIR)/results/$(EXPERIMENT)/report/index.html"

experiment:
	@$(REFUSE_READ_ONLY)
	@test -f experiments/$(EXPERIMENT).yaml || { echo "error: no experiment is named" \
	  "'$(EXPERIMENT)'; there is: $(basename $(notdir $(wildcard experiments/*.yaml)))"; exit 1; }

dev: $(ENVIRONMENT) ## Set up for work on the code: the environment, and the linters before each commit
	pre-commit install

test: $(ENVIRONMENT) debian lint test-fast test-slow ## Set up, lint, run the tests (those on a SLURM: make test-cluster)

test-fast: $(ENVIRONMENT) ## Run the tests that take seconds
	pytest -m "not slow" --numprocesses 2

# Two at a time: most of a slow test is waiting for processes to start, or for one that takes one core.
test-slow: $(ENVIRONMENT)
	pytest -m "slow and not long" --ignore tests/slurm --numprocesses 2 --dist loadgroup --durations=20

test-cluster: PACKAGES := envs/debian.txt envs/debian-slurm.txt
test-cluster: $(ENVIRONMENT) debian ## Start a SLURM of several nodes here, as root, and run the study on it
	pytest tests/slurm -m "not long" --durations=20

test-long: PACKAGES := envs/debian.txt envs/debian-slurm.txt
test-long: $(ENVIRONMENT) debian ## Run the tests that CI leaves out (over 4 minutes each)
	pytest -m long --durations=0

# A stage's tests lie in a folder of its name.
test-stage: $(ENVIRONMENT) ## Run the quick tests of one stage: make test-stage STAGE=judging
	@test -d tests/unit/$(STAGE) -a -n "$(STAGE)" || { echo "error: STAGE is one of:" \
	  "$(sort $(notdir $(patsubst %/,%,$(wildcard tests/unit/*/))))"; exit 1; }
	pytest -m "not slow" tests/unit/$(STAGE)

# RUNLEVEL=1: none of them may start a service of its own.
debian: ## Install the Debian packages that tests need (a browser, a compiler), as root
	@missing=$$(for package in $$(cat $(PACKAGES)); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; \
	done | xargs); \
	[ -z "$$missing" ] && exit 0; \
	[ "$$(id -u)" = 0 ] || { echo "error: the tests need: sudo apt-get install" \
	  "$$missing  (make test-fast does without)"; exit 1; }; \
	echo "Installing $$missing"; export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	apt-get update -qq && apt-get install -qq --no-install-recommends $$missing >/dev/null

lint: $(ENVIRONMENT) ## Check format, style, types and the workflow
	ruff format --check .
	ruff check .
	mypy
	snakefmt --check Snakefile rules
	snakemake --lint --configfile experiments/miniature.yaml

bench: $(ENVIRONMENT) ## Measure against peers, as ratios in one run
	snakemake --cores $(CORES) --configfile experiments/miniature.yaml -- \
	  results/miniature/base/model.json results/miniature/datasets/lima/frozen/train.jsonl
	python benchmarks/run.py
	python benchmarks/lm_evaluation.py
	python benchmarks/training.py
	python benchmarks/training.py --shape tiny --rounds 1

# DEVICE=cpu runs what a CPU can run; PARTS=zero,resume some of it.
gpu-check: $(ENVIRONMENT) ## Check and measure a machine with GPUs, part by part, into gpu-check.json
	python benchmarks/gpu_check.py --device $(or $(DEVICE),cuda) $(if $(PARTS),--parts $(PARTS))

# Wheels for this Python and platform, with the CUDA of PyPI's torch: some 6 GB. There, in what is unpacked:
# make gpu-check, which installs from wheels/.
gpu-pack: ## Pack this tree and all wheels into gpu-pack.tar, for a machine with GPUs and no network
	@git diff --quiet HEAD || { echo "error: commit first: what is packed is HEAD"; exit 1; }
	rm -rf gpu-pack gpu-pack.tar
	mkdir -p gpu-pack/limaflow
	git archive HEAD | tar -x -C gpu-pack/limaflow
	$(PYTHON) -m pip wheel --disable-pip-version-check --quiet --wheel-dir gpu-pack/limaflow/wheels \
	  pip wheel $(or $(LOCK:%=-r %),-r envs/requirements.lock -r envs/gpu.txt)
	tar -cf gpu-pack.tar -C gpu-pack limaflow
	rm -rf gpu-pack
	@echo "gpu-pack.tar: there, tar -xf gpu-pack.tar && cd limaflow && make gpu-check"

# Sphinx lives in an environment of its own, so that no package of the study has to agree with it.
docs: $(ENVIRONMENT) .venv-docs/.complete ## Build the pages of docs/ as a site
	python docs/configuration_page.py docs/generated/configuration.md
	.venv-docs/bin/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "The site: $(CURDIR)/docs/_build/html/index.html"

.venv-docs/.complete: envs/docs.txt
	@$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check -r envs/docs.txt
	@touch $@

env: $(ENVIRONMENT) ## Make .venv from the lock file

# Only what `make` made is ever emptied: the sign is there from the first moment, `.complete` at the end.
SIGN := .venv/.made-by-limaflow
REFUSE_READ_ONLY = [ -w . ] || { \
  echo "error: $(CURDIR) cannot be written to (copy the checkout to a folder of your own)"; exit 1; }
REFUSE_OTHERS = if [ -L .venv ]; then \
    echo "error: .venv is a link to $$(readlink .venv), which \`make\` leaves alone (remove the link," \
      "or work in that environment without make)"; exit 1; \
  elif [ -e .venv ] && [ ! -e $(SIGN) ] && [ ! -e $(ENVIRONMENT) ]; then \
    echo "error: .venv was not made by \`make\`, which leaves it alone (move it away, or remove it)"; \
    exit 1; \
  fi

# torch first: whatever depends on it would otherwise fetch a build with gigabytes of CUDA. pip
# would compile every module by one process, half of the set-up; files that are no Python are passed over.
$(ENVIRONMENT): envs/requirements.lock
	@$(REFUSE_OTHERS)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "error: Python 3.11 or newer is needed (make PYTHON=/path/to/python3.11)"; exit 1; }
	@$(REFUSE_READ_ONLY)
	@"$(PYTHON)" -m venv --clear .venv && touch $(SIGN) \
	  || { echo "error: no environment was made in .venv; the message above says why (no venv module:" \
	       "on Debian: apt-get install python3-venv)"; exit 1; }
	@echo "Installing $$(grep -c == envs/requirements.lock) packages into .venv: some minutes, about 2 GB"
	.venv/bin/python -m pip install $(WHEELS) --quiet --no-compile --disable-pip-version-check \
	  "$$(grep -E '^torch==' envs/requirements.lock)"
	.venv/bin/python -m pip install $(WHEELS) --quiet --no-compile --disable-pip-version-check \
	  -r envs/requirements.lock $(if $(WHEELS),-r envs/gpu.txt)
	.venv/bin/python -m pip install $(WHEELS) --quiet --no-compile --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@.venv/bin/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib || true
	.venv/bin/python -m pip check
	@touch $@

lock: ## Write the lock file and the conda file from what .venv holds
	python envs/lock.py

clean: ## Remove the environment and every result
	@$(REFUSE_OTHERS)
	rm -rf .venv .venv-docs docs/_build docs/generated results logs resources .snakemake
