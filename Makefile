# Everything sets itself up: Python 3.11 or later and make are enough.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin

.PHONY: run test chaos lint bench lock clean screenshots

run: $(VENV)/run.stamp  ## a sandbox at http://127.0.0.1:8000 (another port with PORT=)
	@PORT=$(PORT) $(BIN)/kassor sandbox

test: $(VENV)/dev.stamp  ## the whole suite, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

chaos: $(VENV)/dev.stamp  ## every fault in full: machines killed, databases restarted, a year in hundreds of orders, fuzzing
	KASSOR_CHAOS=full $(BIN)/python -m pytest tests/chaos -n 2 --dist loadfile --timeout 1800 $(PYTEST)

lint: $(VENV)/dev.stamp  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp  ## performance, as ratios measured side by side
	$(BIN)/python -m benchmarks

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
	rm -rf $(VENV) *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
