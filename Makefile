# Everything runs in .venv, which the first command makes and later ones reuse. The demo puts there
# what it needs itself; the other commands add the rest.
# To choose the interpreter: make clean && make PYTHONS=python3.12

PYTHONS ?= python3 python3.14 python3.13 python3.12 python3.11 python
PY := .venv/bin/python
DEMO := .venv/.stamp-demo
VENV := .venv/.stamp
ALL := .venv/.stamp-all
EVERYTHING := .venv-all/.stamp
# What "make test" skips for want of a library. Dask and a browser stand neither pytest's processes
# nor each other.
WITH_MORE := tests/adapters/charts tests/adapters/exchange tests/adapters/incoming tests/benchmarks \
	tests/datasette tests/house/test_pages.py tests/notebooks tests/site

# Make the environment anew when it is unfinished, its interpreter went away or
# became another version, or the project was moved.
SOUND := $(shell $(PY) -I -c "import importlib.util as u, os; print(os.path.samefile( \
	u.find_spec('serverdomain').origin, 'src/serverdomain/__init__.py'))" 2>/dev/null)
ifneq ($(SOUND),True)
.PHONY: $(DEMO) $(VENV) $(ALL)
endif

.PHONY: all demo test test-all test-slow tempest schemas routes pictures bench bench-quick bench-growth bench-lag bench-docs notebooks notebooks-test docs docs-test dist mutants constraints help clean

all: demo test  ## the demo, then the tests (what "make" alone does)

demo: $(DEMO)  ## show the library at work
	$(PY) -m serverdomain demo

test: $(VENV)  ## lint, check types and run all but the slow tests
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest -n 2 -m "not slow"

test-all: $(EVERYTHING)  ## run the tests of every format, engine, page and notebook, in their own .venv-all of a gigabyte more
	.venv-all/bin/python -m pytest -m "not slow or heavy" tests/analysis
	.venv-all/bin/python -m pytest -m "not slow or heavy" tests/browser
	.venv-all/bin/python -m pytest -n 2 -m "not slow or heavy" $(WITH_MORE)

test-slow: $(VENV)  ## run the slow tests
	$(PY) -m pytest -m slow

tempest: $(VENV)  ## run Tempest's own rebuild tests against the endpoint, in their own .venv-tempest
	$(PY) -m tests.tempest

schemas: $(VENV)  ## check every answer by Nova's own schemas, from their own .venv-schemas
	$(PY) -m tests.schemas

routes: $(VENV)  ## write docs/routes.md from what the tests were answered
	$(PY) -m tests.routes

pictures: $(VENV)  ## draw docs/pictures anew: what each command prints
	$(PY) -m tests.pictures

bench: $(VENV)  ## measure everything beside its rivals, in ten minutes or more
	$(PY) -m benchmarks --json benchmarks/results.json

bench-quick: $(VENV)  ## the same in a minute, which tells less and keeps nothing
	$(PY) -m benchmarks --quick

bench-growth: $(ALL)  ## draw what each costs in a store that grows to five million events
	$(PY) -m benchmarks.growth --json benchmarks/growth.json --picture docs/growth.svg

bench-lag: $(ALL)  ## draw how far three nodes' views are behind a log in PostgreSQL
	$(PY) -m benchmarks.lag --picture docs/lag.svg

bench-docs: $(VENV)  ## write what the pages say of speed from the runs that are kept
	$(PY) -m benchmarks.told

notebooks: $(ALL)  ## run the notebooks' sources and keep what they give: all, or NAME=01-a-servers-story
	$(PY) -m tests.notebooks $(NAME)

notebooks-test: $(ALL)  ## test the notebooks, which "make test" skips
	$(PY) -m pytest tests/notebooks tests/adapters/charts

docs: $(ALL)  ## build the site of the documentation into build/site
	$(PY) docs/site/build.py build/site

docs-test: $(ALL)  ## test the site, which "make test" skips
	$(PY) -m pytest tests/site

dist: $(VENV)  ## build sdist and wheel into dist, and try each with every Python that is at hand
	$(PY) -m pytest -m slow tests/installed/test_dist.py
	$(PY) -m uv build --out-dir dist

mutants: $(VENV)  ## ask whether the tests notice changed code: all of it, or PART=audit
	$(PY) -m tests.mutation $(PART)

constraints: $(VENV)  ## pin the newest versions that pyproject.toml allows
	$(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 \
		--no-header --no-annotate --quiet --upgrade --extra everything -o constraints.txt

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 16

clean:  ## remove the environment and all caches
	rm -rf .venv .venv-all .venv-tempest .venv-schemas .venv-schemas.lock .venv-mimic .venv-umadb .pytest_cache .mypy_cache .ruff_cache .hypothesis mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Install an extra, naming each package as it comes. awk says at the end whether pip succeeded,
# whose own complaints go to stderr.
define install
	@echo "Installing what $(1) needs into .venv:"
	@{ $(PY) -m pip install --disable-pip-version-check --no-color --progress-bar off \
		-c constraints.txt -e '.[$(2)]' || echo "pip failed"; } | awk ' \
		/^(Collecting|Processing) / { sub(".*/", "", $$2); sub("[^A-Za-z0-9._-].*|-[0-9].*", "", $$2); \
			printf "%5d  %s\n", ++count, $$2; fflush() } \
		/^Installing collected/ { printf "and now all %d of them\n", NF - 3; fflush() } \
		/^pip failed$$/ { failed = 1 } \
		END { exit failed }'
	@touch $@
endef

# Each candidate is asked by running it: a name on PATH may lead nowhere.
$(DEMO): pyproject.toml constraints.txt Makefile
ifneq ($(SOUND),True)
	@for p in $(PYTHONS); do \
		"$$p" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null && echo "Making .venv with $$p" && exec "$$p" -m venv --clear .venv; \
	done; echo "No Python 3.11 or newer with venv found; tried: $(PYTHONS)" >&2; exit 1
endif
	$(call install,the demo,cli)

$(VENV): $(DEMO)
	$(call install,everything else,dev)

$(ALL): $(VENV)
	$(call install,the notebooks and the site,all)

$(EVERYTHING): $(VENV)
	@echo "Installing every format and engine into .venv-all"
	@$(PY) -m venv --clear .venv-all
	@.venv-all/bin/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[everything]'
	@touch $@
