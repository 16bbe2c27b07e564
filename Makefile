# Everything runs in .venv, made from the lock; Python 3.11 or newer and make are all it needs.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= out

.PHONY: setup setup-spark audit test test-quick soak bench bench-chart spark-beyond-memory test-spark check lock docs licences sbom \
    audit-deps clean

setup: .venv/.ready

# The lock holds hashes and names no index. Bytecode is compiled here, else the first import takes 15 s.
.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "minutewise needs Python 3.11 or newer; say which one: make setup PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

# Apache Spark, which only --engine spark needs: 400 MB, kept out of the lock. It is built from its source package.
setup-spark: .venv/.ready-spark

.venv/.ready-spark: requirements-spark.lock | setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-build-isolation \
	    -r requirements-spark.lock
	touch $@

audit: setup
	$(BIN)/minutewise audit --extracts data/samples --reference data/samples/reference --as-of 2026-11-10 --out $(OUT)

test: setup
	$(BIN)/python -m pytest -n auto --dist loadfile

# The rules, units, contract and texts, without nights, kills, servers and whole audits: for the loop of a person at work.
QUICK := bench_extracts bench_pandas cases cli_mistakes contract_cells crosswalk engine explain_day growth guards \
    history_links honest_days low_match mapping mapping_shown minutes_shown models no_minutes one_derivation open oracle \
    oracle_claims oracle_rules oracle_time readme reference report retention rule_files rules_page samples \
    scheduling_docs supply_chain tuva_claims typed_cells unknown_dollars verify where_it_failed workbook
test-quick: setup
	$(BIN)/python -m pytest -n auto --dist loadfile $(QUICK:%=tests/test_%.py)

# The long version of the tests that draw at random; tests/profiles.py says how much.
soak: setup
	MINUTEWISE_PROFILE=soak $(BIN)/python -m pytest -n auto \
	    tests/test_incremental.py tests/test_kill.py tests/test_kill_warehouse.py tests/test_honest_days.py tests/test_against_oracle.py \
	    tests/test_derive_many.py tests/test_sql_scripts.py tests/test_dirty_input.py

# Both engines against each other, row by row: minutes of Spark, so not part of `make test`, which skips them.
test-spark: setup-spark
	$(BIN)/python -m pytest tests/test_spark.py

# A generated extract larger than the memory that Spark is given, audited by Spark and by DuckDB, and what that takes.
spark-beyond-memory: setup-spark
	$(BIN)/python -m tests.spark_beyond_memory

# Sizes x1, x4 and x16 of BENCH_VISITS; what is measured stands in docs/benchmark.md.
BENCH_VISITS ?= 25000
BENCH_OPTIONS ?=
bench: setup
	$(BIN)/minutewise bench --visits $(BENCH_VISITS) --results bench/results $(BENCH_OPTIONS)

# The chart of docs/benchmark.md, from one or several results: make bench-chart RESULTS=docs/bench/2026-11-29.json
bench-chart: setup
	$(BIN)/python -m flows.bench.chart docs/images/bench.svg $(RESULTS)

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
	$(BIN)/python -m transforms.contract.docs
	$(BIN)/python -m transforms.reference.rule_docs

licences: setup
	$(BIN)/python -m flows.supply_chain.lock_file

sbom: setup
	$(BIN)/python -m flows.supply_chain.sbom build/sbom.json

# Ends well only when the advisory service answered for every package; docs/supply-chain.md.
audit-deps: setup build/tools/bin/pip-audit
	@$(BIN)/python -m flows.supply_chain.advisories build/tools/bin/pip-audit

# Kept out of the lock: pip-audit brings thirty packages that minutewise has no use for.
build/tools/bin/pip-audit: | setup
	@$(BIN)/python -m venv --clear build/tools
	@build/tools/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3' || \
	    { rm -rf build/tools; \
	      echo "audit-deps: NOT AUDITED: no package index is reached to install pip-audit from" >&2; exit 69; }

clean:
	rm -rf .venv $(OUT) build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
