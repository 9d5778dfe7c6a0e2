# Everything sets itself up: Python 3.11 or later and make are enough.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin

.PHONY: run test chaos lint audit bench load soak lock clean screenshots

run: $(VENV)/run.stamp  ## a sandbox at http://127.0.0.1:8000 (another port with PORT=)
	@PORT=$(PORT) $(BIN)/kassor sandbox

test: $(VENV)/dev.stamp  ## the whole suite, on SQLite and PostgreSQL (begun at another time: KASSOR_TESTS_BEGIN=2027-01-31T23:20)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

chaos: $(VENV)/dev.stamp  ## every fault in full: machines killed, databases restarted, a year in hundreds of orders, fuzzing; and the slowest walks
	KASSOR_CHAOS=full $(BIN)/python -m pytest tests/chaos tests/docs/test_runbook.py tests/acceptance/test_restore.py tests/cli/test_keep.py tests/browser/test_watch.py -n 2 --dist loadfile --timeout 1800 $(PYTEST)

lint: $(VENV)/dev.stamp  ## style, types, layers, and no secret in any file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/find_secrets.py

audit: $(VENV)/dev.stamp  ## known holes in what is locked; loud where nobody can be asked
	$(BIN)/python .ci/audit.py

bench: $(VENV)/dev.stamp  ## performance, as ratios measured side by side
	$(BIN)/python -m benchmarks

load: $(VENV)/dev.stamp  ## people and webhooks together for a minute: nobody refused, nobody waiting
	$(BIN)/python -m benchmarks.pressure

soak: $(VENV)/dev.stamp  ## twenty minutes of moderate load: memory and open files stay flat (shorter: KASSOR_SOAK_SECONDS=120)
	$(BIN)/python -m benchmarks.soak

screenshots: $(VENV)/dev.stamp  ## the pictures of the docs, taken from a running sandbox
	$(BIN)/python -m tests.browser.screenshots

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(VENV)/python.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Kassör needs Python 3.11 or later; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

lock:  ## pin every dependency again, with hashes (needs uv)
	uv pip compile --quiet pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock
	uv pip compile --quiet pyproject.toml --group build --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header -o requirements-dev.lock

clean:
	rm -rf $(VENV) *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/sandbox/js/node_modules
