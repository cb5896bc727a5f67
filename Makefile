# The commands of the project. Each sets itself up: Python >= 3.10, git and make are all that is needed.
PYTHON ?= python3
VENV   ?= .venv
EXTRA  ?= cpu,onnx,parquet,heif,dev
# Where torch comes from, if not from PyPI: https://download.pytorch.org/whl/cpu spares the CUDA packages.
TORCH_INDEX ?=
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TORCH  := $(shell grep -E '^torch(vision)?==' constraints.txt)

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak check format serve picture pictures axe clean

help:            ## what there is to run
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

setup: $(READY)  ## a virtual environment with everything in it

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(PIP) --index-url '$(TORCH_INDEX)' $(TORCH))
	$(PIP) -c constraints.txt -e '.[$(EXTRA)]'
	@touch $@

demo: $(READY)   ## train, index, search and explain on digits that need no download
	$(BIN)/whyalike demo

# One process a core, and one thread in each: two threads that share a core are slower than one.
test: $(READY)   ## all tests (under 15 minutes on 2 cores)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not soak" --numprocesses auto --dist loadfile

# What measures times runs when the others have ended, and whatever came of them.
soak: $(READY)   ## the long trials, in full
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "soak and not alone" --timeout 7200 --numprocesses auto \
	  --dist load -rP; others=$$?; \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m alone --timeout 7200 -rP && exit $$others

check: $(READY)  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## let ruff write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

serve: $(READY)  ## the service, on http://127.0.0.1:8000
	$(BIN)/whyalike serve

picture: $(READY) ## the picture in the README, from the digits
	$(BIN)/whyalike demo --picture docs/images/digits.png

pictures: $(READY) ## the page of evidence in docs, from the digits
	$(BIN)/whyalike demo
	$(BIN)/whyalike illustrate --count 2 --out docs/pictures

# Only the tests of the page read it, and they skip without it; MPL-2.0, so it is not committed.
AXE := axe-core@4.14.1
axe:             ## the accessibility checks that the tests of the page use (needs npm)
	@mkdir -p .axe
	cd .axe && npm pack --silent $(AXE) && tar -xzf axe-core-*.tgz --strip-components 1 package/axe.min.js package/LICENSE
	@rm -f .axe/axe-core-*.tgz

clean:           ## forget the virtual environment and the caches
	rm -rf $(VENV) .axe .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
