# Calo: `make help` lists the verbs.

PYTHON ?= python3
PORT ?= 8080
BIN := .venv/bin
SITE = $(wildcard .venv/lib/python3*/site-packages)
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --no-compile

export PORT
# the venv's own Node comes first; synth imports half a gigabyte of modules, so byte code must be kept
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1
export CDK_DISABLE_CLI_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install run test check bench synth deploy destroy lock clean

help: ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: .venv/installed .venv-emulator/installed ## make the virtual environments

run: install ## the whole system on this machine, at http://localhost:8080 (PORT=… moves it)
	@$(BIN)/python -m local

test: install ## unit, infra and integration tests
	$(BIN)/python -m pytest

check: install ## format, lint, types, and every template through cfn-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory synth
	$(BIN)/cfn-lint --non-zero-exit-code error cdk.out/*.template.json

bench: install ## measure what docs/performance.md says
	$(BIN)/python -m bench

synth: install ## write the CloudFormation templates to cdk.out
	@$(BIN)/cdk synth --quiet --no-notices

deploy: install ## deploy all stacks to the account of your AWS profile
	@$(BIN)/python -m infra.deploy

destroy: install ## delete all stacks (tables and images are kept unless -c retain_data=false was deployed)
	$(BIN)/cdk destroy --all --no-notices

lock: ## resolve the direct dependencies anew
	$(PYTHON) -m bench.lock

clean: ## remove what was built, not the virtual environments
	rm -rf .build .local cdk.out

# Both at once: they share no files.
.venv/installed: requirements.txt functions/requirements.txt functions/sse_relay/requirements.txt
	@echo "installing into .venv (about half a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@$(BIN)/python -m compileall -q -j 0 .venv/lib/python3*/site-packages/aws_cdk .venv/lib/python3*/site-packages/jsii .venv/lib/python3*/site-packages/constructs .venv/lib/python3*/site-packages/botocore
	@touch $@

.venv-emulator/installed: local/emulator-requirements.txt
	@echo "installing the emulator into .venv-emulator"
	@$(PYTHON) -m venv .venv-emulator
	@.venv-emulator/bin/python $(PIP_INSTALL) -r local/emulator-requirements.txt
	@touch $@
