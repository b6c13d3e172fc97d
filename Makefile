# Calo: `make help` lists the commands.

PYTHON ?= python3
PORT ?= 8080
ARGS ?=
# some tests wait, so three processes use two cores fully
PROCESSES ?= 3
BIN := .venv/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
# packages whose import is slow without byte code; compiling all packages would take a minute
COMPILED := aws_cdk jsii constructs botocore

export PORT
# the virtual environment's Node is used first, and Python may write byte code
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1
export CDK_DISABLE_CLI_TELEMETRY := true
# jsii and npm cache files in the home folder, which may be read-only
ifneq ($(shell test -w "$$HOME" && echo writable),writable)
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.build/jsii
export npm_config_cache := $(CURDIR)/.build/npm
endif

.DEFAULT_GOAL := help
.PHONY: help install web run test rehearse check checkov chaos simulate bench docs pictures synth preflight deploy destroy lock clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: ## create the virtual environments
	@$(MAKE) -s --no-print-directory -j2 .venv/installed .venv-emulator/installed

web: frontend/dist/index.html ## build the web app

run: install web ## run the whole system on this machine, at http://localhost:8080 (PORT=8090 ARGS="-c auth=cognito")
	@$(BIN)/python -m local $(ARGS)

# its findings are only printed, and it takes longer than the synthesis itself
test rehearse: export CDK_VALIDATION := false
test: install web ## run the tests: first the web app's unit tests, then everything else (ARGS=tests/unit)
	@cd frontend && npm test --silent
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --no-loadscope-reorder $(ARGS)

rehearse: install web ## deploy all stacks to the emulator and change them; work on 120 jobs under faults
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) tests/deployment tests/chaos $(ARGS)

check: install web ## format, lint, prose, types; templates with cdk-nag and cfn-lint, and what they would replace
	@cd frontend && npm run --silent check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m tests.prose
	$(BIN)/mypy
	$(MAKE) --no-print-directory synth ARGS="-c nag=true"
	$(BIN)/cfn-lint --non-zero-exit-code warning --format pretty cdk.out/*.template.json
	@$(BIN)/python -m infra.tools.upgrade

checkov: .venv-checkov/installed ## check the templates with checkov; docs/operations.md discusses its findings
	$(MAKE) --no-print-directory synth
	@LOG_LEVEL=CRITICAL .venv-checkov/bin/checkov --directory cdk.out --framework cloudformation --compact --quiet --soft-fail

chaos: install ## run 2,000 jobs under faults and check that nothing is lost (ARGS="--seed 2")
	$(BIN)/python -m tests.chaos $(ARGS)

simulate: install ## try every crash point and 2,000 pairs of faults (SEED=7 repeats one; MUTANTS=true)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SCENARIO),--scenario $(SCENARIO)) \
		$(if $(FAULTS),--faults $(FAULTS)) $(if $(WATCHDOG),--watchdog $(WATCHDOG)) $(if $(MUTANTS),--mutants) $(ARGS)

bench: install web ## measure the figures in docs/performance.md (ARGS=--help lists the parts)
	$(BIN)/python -m bench $(ARGS)

docs: .venv-docs/installed .build/contract/openapi.json ## build the documentation as a website, in .build/docs
	@.venv-docs/bin/python docs/site/stage.py .build/docs-source
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs --quiet build
	@echo "open .build/docs/index.html"

pictures: install web ## take the pictures in docs/pictures again, and of every page and state (ARGS=--help)
	@$(BIN)/python -m local.pictures $(ARGS)

synth: install web ## write the CloudFormation templates to cdk.out
	@output=$$($(BIN)/cdk synth --quiet --no-notices $(ARGS) 2>&1) || { echo "$$output"; exit 1; }

preflight: install ## check account, region, builder, zones and quotas before a deployment (ARGS as for deploy)
	@$(BIN)/python -m infra.tools.preflight $(ARGS)

deploy: install web ## deploy all stacks to the account of your AWS profile (ARGS="-c budget.unsplash=5000")
	@$(BIN)/python -m infra.tools.deploy $(ARGS)

destroy: install web ## delete all stacks; tables and images stay, unless deployed with -c retain_data=false
	@$(BIN)/cdk destroy --all --no-notices $(ARGS)

lock: install ## resolve every requirements.in into its lock again, with the hashes of the files
	@$(BIN)/python -m infra.tools.lock

clean: ## remove build output, but not the virtual environments
	rm -rf .build .local cdk.out

.venv/installed: requirements.txt client/pyproject.toml
	@echo "installing into .venv: about a minute, once"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.13" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@$(BIN)/python $(PIP_INSTALL) --no-deps --editable client
	@$(BIN)/python -m compileall -q -j 0 $(foreach package,$(COMPILED),.venv/lib/python3*/site-packages/$(package))
	@touch $@

frontend/node_modules/installed: frontend/package-lock.json .venv/installed
	@echo "installing the web app's packages"
	@cd frontend && npm ci --silent
	@touch $@

.build/contract/openapi.json: .venv/installed infra/kinds.py functions/common/kind.py $(wildcard infra/tools/contract.*) \
		$(shell find kinds -name __pycache__ -prune -o -type f -print)
	@$(BIN)/python -m infra.tools.contract $(@D)

frontend/dist/index.html: frontend/node_modules/installed .build/contract/openapi.json \
		$(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f ! -name schema.d.ts -print)
	@echo "building the web app"
	@cd frontend && npm run --silent build -- --logLevel warn

.venv-emulator/installed: local/emulator-requirements.txt
	@echo "installing the emulator into .venv-emulator"
	@$(PYTHON) -m venv .venv-emulator
	@.venv-emulator/bin/python $(PIP_INSTALL) -r local/emulator-requirements.txt
	@touch $@

.venv-docs/installed: docs/site/requirements.txt
	@echo "installing the documentation's builder into .venv-docs"
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python $(PIP_INSTALL) -r docs/site/requirements.txt
	@touch $@

.venv-checkov/installed:
	@echo "installing checkov into .venv-checkov"
	@$(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/python $(PIP_INSTALL) checkov==3.3.30
	@touch $@
