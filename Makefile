# Everything runs in .venv, made from the lock; Python 3.11 or newer and make are all it needs.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= out

.PHONY: setup audit test check lock docs clean

setup: .venv/.ready

# The lock holds hashes and names no index. Bytecode is compiled here, else the first import takes 15 s.
.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "minutewise needs Python 3.11 or newer; say which one: make setup PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

audit: setup
	$(BIN)/minutewise audit --extracts data/samples --reference data/samples/reference --as-of 2026-11-10 --out $(OUT)

test: setup
	$(BIN)/python -m pytest -n auto --dist loadfile

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_models.py tests/test_rule_files.py

# Pins every package with its hashes; run it only to move a version, and keep it only with the tests green.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade -o requirements.lock

docs: setup
	$(BIN)/python -m transforms.contract_docs

clean:
	rm -rf .venv $(OUT) build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
