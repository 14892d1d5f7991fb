# The menu of this project. `make` shows it.

VENV := .venv
BIN := $(VENV)/bin
WORKERS := -n auto --dist worksteal
PYTEST := scripts/as-root $(BIN)/python -m pytest $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help demo test check fast oldest real bench bench-push bench-eager lock clean

help: ## show this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build an image, run a command in it, push it to a registry (installs what is missing)
	@scripts/install engine busybox
	@scripts/demo

test: ## everything: checks, fast tests, tests on a real engine and registry (installs, too)
	@scripts/install engine busybox registry clients
	@$(MAKE) --no-print-directory check
	@$(PYTEST)

check: $(VENV)/installed ## format, lint, types, imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fast: $(VENV)/installed ## the tests that need no engine and no registry
	@$(BIN)/python -m pytest $(WORKERS) -m "not engine and not registry"

oldest: $(VENV)/installed ## the fast tests with the oldest versions of what we need
	@scripts/oldest $(WORKERS)

real: $(VENV)/installed ## the tests on a real engine and a real registry
	@$(PYTEST) -m "engine or registry"

bench: $(VENV)/installed ## steps against the bare engine API, as ratios
	@scripts/with-engine $(BIN)/python bench/steps.py

bench-push: $(VENV)/installed ## our pusher against the engine's own
	@scripts/with-engine $(BIN)/python bench/push.py

bench-eager: $(VENV)/installed ## from green to the manifest, with and without --eager-push
	@scripts/with-engine $(BIN)/python bench/eager.py

lock: ## resolve requirements-dev.txt anew from pyproject.toml
	@scripts/lock

clean: ## remove what the targets above have made
	rm -rf $(VENV) .oldest .demo .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -rf build dist examples/push/busybox
	find src tests bench scripts -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/installed: requirements-dev.txt pyproject.toml scripts/install
	@scripts/install
