# Everything runs in .venv, which the first command makes and later ones reuse.
# To choose the interpreter: make clean && make PYTHONS=python3.12

PYTHONS ?= python3 python3.14 python3.13 python3.12 python3.11 python
PY := .venv/bin/python
VENV := .venv/.stamp

# Make the environment anew when it is unfinished, its interpreter went away or
# became another version, or the project was moved.
SOUND := $(shell $(PY) -I -c "import importlib.util as u, os; print(os.path.samefile( \
	u.find_spec('serverdomain').origin, 'src/serverdomain/__init__.py'))" 2>/dev/null)
ifneq ($(SOUND),True)
.PHONY: $(VENV)
endif

.PHONY: all demo test test-slow tempest schemas routes bench notebooks mutants constraints help clean

all: demo test  ## the demo, then the tests (what "make" alone does)

demo: $(VENV)  ## show the library at work
	$(PY) -m serverdomain demo

test: $(VENV)  ## lint, check types and run all but the slow tests
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest -n 2 -m "not slow"

test-slow: $(VENV)  ## run the slow tests
	$(PY) -m pytest -m slow

tempest: $(VENV)  ## run Tempest's own rebuild tests against the endpoint, in their own .venv-tempest
	$(PY) -m tests.tempest

schemas: $(VENV)  ## check every answer by Nova's own schemas, from their own .venv-schemas
	$(PY) -m tests.schemas

routes: $(VENV)  ## write docs/routes.md from what the tests were answered
	$(PY) -m tests.routes

bench: $(VENV)  ## run the measurements
	$(PY) -m benchmarks

notebooks: $(VENV)  ## run the notebooks and keep what they give
	$(PY) -m tests.notebooks

mutants: $(VENV)  ## ask whether the tests notice changed code
	$(PY) -m tests.mutation

constraints: $(VENV)  ## pin the newest versions that pyproject.toml allows
	$(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 \
		--no-header --no-annotate --quiet --upgrade --extra dev -o constraints.txt

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 14

clean:  ## remove the environment and all caches
	rm -rf .venv .venv-tempest .venv-schemas .venv-schemas.lock .venv-mimic .pytest_cache .mypy_cache .ruff_cache .hypothesis mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each candidate is asked by running it: a name on PATH may lead nowhere.
$(VENV): pyproject.toml constraints.txt Makefile
ifneq ($(SOUND),True)
	@for p in $(PYTHONS); do \
		"$$p" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null && echo "Making .venv with $$p" && exec "$$p" -m venv --clear .venv; \
	done; echo "No Python 3.11 or newer with venv found; tried: $(PYTHONS)" >&2; exit 1
endif
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
