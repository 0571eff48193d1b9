## Tongtang 同堂: two rooms, one lesson.
##
##   make demo      hold a lesson on this machine: one hub, a lead room, a receiving room
##                  (options in ARGS: make demo ARGS="--seconds 20 --rooms 3 --no-browser --out out")
##   make test      everything that must hold: style, types, arrows, tests
##   make bench     measure against the peers; writes the tables of docs/performance.md
##                  (make bench ARGS=memory for the one that takes half an hour)
##   make soak      the tests that take long: half an hour of lesson (SOAK_MINUTES=3 for a try), 500 kills
##   make soak-kill agents, hub and broker are killed 500 times; prints the table of docs/performance.md
##
##   make setup     prepare .venv, the models and what the tests need; the others call it first,
##                  and it does nothing when all is there
##   make docs      write docs/settings.md and docs/commands.md from the code
##   make lock      write requirements.lock anew from pyproject.toml
##   make clean     remove what the above made
##
## Where to read on: README.md, docs/developer.md.

BIN := .venv/bin
# -rsR: which tests were skipped, and why; which were run again. Exit code 5: ARGS left no test over in this part.
PYTEST := $(BIN)/pytest -q -rsR --rerun-show-tracebacks --durations=5 --durations-min=5
# Most tests of the first part wait for something: on two cores four at a time leave neither idle. What judges real
# time comes later: two at a time where there is room to spare, alone where there is none.
FOUR_AT_A_TIME := -n 4 --dist worksteal
TWO_AT_A_TIME := -n 2 --dist worksteal
# Four that each want every core for their arithmetic wait for one another: a quarter of the time of the first part.
ONE_THREAD := env OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
NONE_LEFT := $(if $(ARGS),|| [ $$? = 5 ])

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench soak soak-kill docs lock clean

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

setup:
	@sh scripts/setup.sh

demo: setup
	$(BIN)/tongtang demo $(ARGS)

# Hundreds of processes are started: whoever has asked Python to keep no compiled code would wait for it each time.
test soak soak-kill: export PYTHONDONTWRITEBYTECODE =

# What fails quickly comes first.
test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(ONE_THREAD) $(PYTEST) $(FOUR_AT_A_TIME) -m "not (paired or alone or soak)" $(ARGS) $(NONE_LEFT)
	$(PYTEST) $(TWO_AT_A_TIME) -m "paired and not soak" $(ARGS) $(NONE_LEFT)
	$(PYTEST) -m "alone and not soak" $(ARGS) $(NONE_LEFT)

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

soak: setup
	$(PYTEST) -m soak --timeout=0 $(ARGS) $(NONE_LEFT)

soak-kill: setup
	$(PYTEST) -m soak --timeout=0 tests/soak/test_kill.py $(ARGS)

docs: setup
	$(BIN)/python scripts/write_docs.py

lock: setup
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-header -o requirements.lock

clean:
	rm -rf .venv .weights .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist out demo-out
	find . -name __pycache__ -prune -exec rm -rf {} +
