# why401: two commands matter, `make demo` and `make test`. Everything installs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help install demo test lint types format lock bench soak clean
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

install: $(VENV)/.ready ## Everything into .venv (a second run takes a second)

# uv when there is one, else uv is installed into .venv by pip: it checks the same hashes and is much faster.
$(VENV)/.ready: pyproject.toml requirements/dev.txt
	@echo "installing into $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@UV=$$(command -v uv || echo $(BIN)/uv); \
	  $$UV pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt && \
	  $$UV pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: install ## A real Envoy refuses real tokens; ARGS="--seconds 30 --no-dashboard" ends by itself
	@$(BIN)/why401 demo $(ARGS)

test: install ## The whole suite; ARGS="-k otlp" for a part
	@$(BIN)/python -m pytest $(ARGS)

lint: install ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: install ## mypy --strict
	@$(BIN)/mypy

format: install ## Rewrite to the house format
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: install ## Named scenarios; ARGS="parse diagnose"
	@$(BIN)/python -m benchmarks $(ARGS)

soak: install ## Slow proofs: ten million events with flat memory
	@$(BIN)/python -m benchmarks soak $(ARGS)

lock: ## Recompile the hashed requirements
	@for set in "run:--extra demo" "dev:--extra demo --group dev"; do \
	  uv pip compile pyproject.toml $${set#*:} --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --quiet -o requirements/$${set%%:*}.txt; done

clean: ## Remove what was installed and built
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
