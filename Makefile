# why401: two commands matter, `make demo` and `make test`. Everything installs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 3

.PHONY: help install demo test lint types format lock gateways bench soak chaos fuzz audit sbom clean
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

demo: install ## A working day on real Envoys: five things break and are told; ARGS="--seconds 30 --no-dashboard" ends by itself
	@$(BIN)/why401 demo $(ARGS)

# Bytecode before hundreds of processes start: where PYTHONDONTWRITEBYTECODE is set, each would compile what it imports, Streamlit for 3 s.
$(VENV)/.bytecode: $(VENV)/.ready
	@echo "compiling $(VENV) …"
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@

test: install $(VENV)/.bytecode ## The whole suite, in three processes; WORKERS=2 for a small machine, ARGS="-k otlp" for a part, WHY401_TEST_PATIENCE=3 for longer hang limits
	@$(BIN)/python -m compileall -q collector analyzer dashboard why401 benchmarks tests
	@$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

lint: install ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: install ## mypy --strict
	@$(BIN)/mypy

format: install ## Rewrite to the house format
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

gateways: install ## Build the gateways that come as Go source, once; ARGS="traefik" for one
	@$(BIN)/python -m benchmarks.live.build $(ARGS)

bench: install ## Named scenarios; ARGS="parse diagnose"
	@$(BIN)/python -m benchmarks $(ARGS)

soak: install ## Slow proofs: ten million events, thousands of commits and a million names with flat memory; ten minutes of mixed load
	@$(BIN)/python -m benchmarks soak soak-store flood
	@$(BIN)/python -m benchmarks load $(ARGS)

chaos: install ## Ten minutes in which processes, broker, PostgreSQL, disk, clock and files fail, on both catalogs: 0 lost, 0 doubled; ARGS="--minutes 60"
	@$(BIN)/python -m benchmarks chaos $(ARGS)

fuzz: install $(VENV)/.fuzz ## Ten minutes of coverage-guided fuzzing; ARGS="--seconds 60 redact" for a part
	@$(BIN)/python -m fuzz $(ARGS)

audit: install $(VENV)/.audit ## Known vulnerabilities, licences, suspicious code
	@$(BIN)/python -m audit $(ARGS)

# What the image holds, in an environment of its own: .venv has the tests' packages too.
sbom: install $(VENV)/.audit ## The bill of materials, CycloneDX, in build/why401.cdx.json
	@rm -rf build/sbom && mkdir -p build && $(BIN)/python -m venv --without-pip build/sbom
	@UV=$$(command -v uv || echo $(BIN)/uv); \
	  $$UV pip install --quiet --python build/sbom/bin/python --require-hashes -r requirements/run.txt && \
	  $$UV pip install --quiet --python build/sbom/bin/python --no-deps .
	@$(BIN)/cyclonedx-py environment build/sbom/bin/python --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --output-file build/why401.cdx.json
	@rm -rf build/sbom && echo "build/why401.cdx.json"

$(VENV)/.audit $(VENV)/.fuzz: $(VENV)/.%: requirements/%.txt $(VENV)/.ready
	@UV=$$(command -v uv || echo $(BIN)/uv); $$UV pip install --quiet --python $(BIN)/python --require-hashes -r $<
	@touch $@

lock: ## Recompile the hashed requirements
	@for set in "run:--all-extras" "dev:--all-extras --group dev"; do \
	  uv pip compile pyproject.toml $${set#*:} --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --quiet -o requirements/$${set%%:*}.txt; done
	@for group in audit fuzz; do \
	  uv pip compile --group $$group --constraint requirements/dev.txt --universal --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" --quiet -o requirements/$$group.txt; done

clean: ## Remove what was installed and built
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
