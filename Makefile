# Everything here runs from a fresh clone: each target makes what it needs first. `make help` lists them.
# Settings: SC_SECURE_CACHE, PULUMI_HOME, PULUMI_BACKEND_URL, SC_SECURE_PLUGINS, PYTHON, PYTEST_ARGS.

PYTHON ?= python3
PYTEST_ARGS ?=
ROOMS ?=
VENV := .venv/bin

# `eval "$$(make env)"` takes all that is printed, from a nested make too.
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up down env sigstore test lint audit coverage mutants format bench tools tools-path venv lock package schema docs pictures clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

up: ## the main job: all set-up, then `pulumi up` of examples/quickstart, and its outputs
	@$(PYTHON) -m devtools.up

down: ## ends what `make up` started, and only that
	@$(PYTHON) -m devtools.down

sigstore: ## a local Sigstore for trying keyless signing: eval "$(make sigstore)"
	@$(PYTHON) -m devtools.sigstore.trial

env: ## prints the shell settings of `make up`: eval "$(make env)"
	@$(PYTHON) -m devtools.environment

test: tools venv ## all tests, with their set-up; PYTEST_ARGS="-k word" for some
	@PATH="$$($(PYTHON) -m devtools.tools --path):$(CURDIR)/$(VENV):$$PATH" VIRTUAL_ENV="$(CURDIR)/.venv" \
		$(VENV)/python -m pytest -n 2 --max-worker-restart=0 $(PYTEST_ARGS)

lint: venv ## linters, formatting, types, the rooms of the design, no trace of this machine
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/pyright
	$(VENV)/lint-imports
	$(VENV)/bandit --quiet --recursive --configfile pyproject.toml sc_secure
	@$(PYTHON) -m devtools.hygiene

audit: venv ## known vulnerabilities of the locked packages, by pip-audit: needs the internet (PyPI's advisories)
	$(VENV)/uv tool run pip-audit --disable-pip --requirement requirements-dev.lock
	$(VENV)/uv tool run pip-audit --disable-pip --requirement policy/requirements.lock

coverage: tools venv ## the branches that the tests take of policy, components and steps: less than 95 % fails; ROOMS="steps"
	@PATH="$$($(PYTHON) -m devtools.tools --path):$(CURDIR)/$(VENV):$$PATH" VIRTUAL_ENV="$(CURDIR)/.venv" \
		$(VENV)/python -m devtools.branches $(ROOMS)

mutants: venv ## breaks the code that decides, one change at a time, and says what no test noticed; minutes
	@$(VENV)/python -m devtools.mutation

format: venv ## formats the code and sorts its imports
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bench: tools venv ## the benchmark, 20 minutes and more: docs/benchmarks/; SC_SECURE_BENCH_RUNS=1 for a look
	@PATH="$$($(PYTHON) -m devtools.tools --path):$(CURDIR)/$(VENV):$$PATH" VIRTUAL_ENV="$(CURDIR)/.venv" \
		$(VENV)/python -m pytest -p tests.conftest -p no:cacheprovider -q -s $(PYTEST_ARGS) benchmarks

tools: ## pulumi, cosign, syft, grype, crane: from PATH where new enough, else built into the cache
	@$(PYTHON) -m devtools.tools

tools-path: ## prints the folder to put on PATH
	@$(PYTHON) -m devtools.tools --path

venv: ## the Python environment .venv, from requirements-dev.lock
	@$(PYTHON) -m devtools.venv

lock: ## writes requirements-dev.lock anew, with the newest versions that pyproject.toml allows
	@$(PYTHON) -m devtools.venv --lock

package: tools venv ## the wheel, the source archive, their SBOM and provenance, in dist/
	@$(VENV)/python -m devtools.package

schema: venv ## writes schema.json anew, as Pulumi infers it from the components
	@$(VENV)/python -m devtools.schema

docs: venv ## the documentation as a website, in build/docs; a broken link or anchor fails
	@NO_MKDOCS_2_WARNING=1 $(VENV)/python -m mkdocs build --strict --quiet

pictures: tools venv ## docs/pictures/, anew from real runs
	@PATH="$$($(PYTHON) -m devtools.tools --path):$(CURDIR)/$(VENV):$$PATH" VIRTUAL_ENV="$(CURDIR)/.venv" \
		SC_SECURE_UPDATE_PICTURES=1 $(VENV)/python -m pytest -q tests/docs/test_pictures.py

clean: ## after `make down`: removes everything that was made here, and the cache
	@$(PYTHON) -m devtools.down --clean
