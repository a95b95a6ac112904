# Needs Python 3.11 or later and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
export MPLBACKEND := Agg
# tests start Python often, which would parse all modules each time
unexport PYTHONDONTWRITEBYTECODE

study: .venv/ready  ## train agents on all versions, compare them and people in one report
	$(BIN)/priorlab study $(ARGS)

test: .venv/ready  ## lint, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python & types=$$!; $(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; wait $$types && exit $$tests

soak: .venv/ready  ## the long checks: learning, clients of gymnasium (installed on the way), Key and Door searched whole and won at a window, kills and damage to logs
	$(BIN)/pytest -q tests/soak

bench: .venv/ready  ## speed, beside a peer
	$(BIN)/priorlab bench $(ARGS)

site: .venv/site  ## guides, reference, results and lecture as one offline site: build/site/index.html
	$(BIN)/python -m priorlab.scripts.site.build

.venv/site: .venv/ready
	$(BIN)/pip install -q -e '.[site]'
	touch $@

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test]'
	touch $@

.PHONY: study test soak bench site
