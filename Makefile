# make results    tables, figures and report of the studies in config/config.yaml (CONFIG="key=value ..." overrides)
# make real       the same of public studies, on files that are downloaded from their publishers
# make paper      what can be had at the papers' own scale: hours (RAW=folder of raw tables, STUDIES=name,...); goes on after a stop
# make compare    compare the runs here with the results that the repository keeps (RUN=results/<study>/<run> for one)
# make estimate   core hours, memory and disk of a run before it is started (CONFIG as for results)
# make benchmark  what fitting and sampling cost as tables grow (source and raw_dir by CONFIG)
# make check      style, types and the quick tests: before every commit
# make test       every test, lint and format check
# make coverage   how much of the library the quick tests run
# make docs       the site of docs/, in build/site
# make clean      remove results, but for results/reference; make distclean also removes the environments
PYTHON ?= python3
CORES ?= all
CONFIG ?=
VENV := .venv
BIN := $(VENV)/bin
SETTINGS := $(if $(CONFIG),--config $(CONFIG))

.DEFAULT_GOAL := results
.PHONY: results real paper report compare reference benchmark estimate check test coverage style lint format schemas lock docs clean distclean

$(VENV)/.installed: envs/requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement envs/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

$(VENV): $(VENV)/.installed

results: $(VENV)/.installed
	$(BIN)/snakemake --cores $(CORES) $(SETTINGS)
	$(MAKE) --no-print-directory report

# Names of studies whose raw table can be had; the program says why where there is none.
runnable = $(or $(shell $(BIN)/medsynth studies --runnable $(1)),$(error no study can be run))

real: $(VENV)/.installed
	$(MAKE) --no-print-directory results CONFIG="studies=[$(call runnable,source=download)] source=download $(CONFIG)"

RAW ?= resources/raw
STUDIES ?=
PAPER = studies=[$(or $(STUDIES),$(call runnable,source=file raw_dir=$(RAW)))] scale=paper source=file raw_dir=$(RAW) $(CONFIG)

# One study's failure does not stop the others; what is finished stays.
paper: $(VENV)/.installed
	$(BIN)/medsynth estimate $(PAPER)
	$(BIN)/snakemake --cores $(CORES) --keep-going --rerun-incomplete --config $(PAPER)
	$(MAKE) --no-print-directory report CONFIG="$(PAPER)"

report: $(VENV)/.installed
	$(BIN)/snakemake --report results/report.html $(SETTINGS)
	@echo "Look at results/index.html (a summary a study) and results/report.html (everything); tables and figures lie in results/<study>/<source>-<scale>/{tables,figures}."
	@$(BIN)/medsynth studies --simulated $(CONFIG)

compare: $(VENV)/.installed
	$(BIN)/medsynth compare $(RUN)

# make reference RUN=results/<study>/<run> keeps a run's tables and main figures in results/reference/.
reference: $(VENV)/.installed
	$(BIN)/medsynth reference $(RUN)

estimate: $(VENV)/.installed
	$(BIN)/medsynth estimate $(CONFIG)

# One core, so that no job disturbs another's seconds.
benchmark: $(VENV)/.installed
	$(BIN)/snakemake --cores 1 benchmark $(SETTINGS)

QUICK := -m "not slow and not workflow"

# Two files of tests at a time, those that read one run as one (tests/conftest.py). One thread each: threads of two
# processes on two cores wait for each other.
TEST_WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

check: style types
	$(PYTEST) $(QUICK) tests/unit $(PYTEST_ARGS)

test: $(VENV)/.installed lint
	$(PYTEST) --no-loadscope-reorder $(PYTEST_ARGS)

coverage: $(VENV)/.installed
	$(BIN)/python -m pytest $(QUICK) tests/unit --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

style: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/codespell . .github

types: $(VENV)/.installed
	$(BIN)/mypy

lint: style types
	$(BIN)/snakemake --lint

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

schemas: $(VENV)/.installed
	$(BIN)/medsynth schemas

DOCS := .environments/docs

$(DOCS)/.installed: envs/docs.txt
	test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement envs/docs.txt
	touch $@

# Strict: a link that leads nowhere is an error. (Not with --quiet, which hides warnings from --strict, too.)
docs: $(DOCS)/.installed
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict
	@echo "Look at build/site/index.html."

# The local label of a CPU build of torch is left out: it is the same release.
lock: envs/requirements.in envs/docs.in
	rm -rf $(VENV)/lock && $(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet --disable-pip-version-check --requirement envs/requirements.in
	{ echo "# Made by 'make lock' from envs/requirements.in."; $(VENV)/lock/bin/pip freeze --all | grep -v '^pip==' | sed 's/+cpu//'; } > envs/requirements.txt
	rm -rf $(VENV)/lock
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet --disable-pip-version-check --requirement envs/docs.in
	{ echo "# Made by 'make lock' from envs/docs.in."; $(VENV)/lock/bin/pip freeze --all | grep -v '^pip==\|^setuptools=='; } > envs/docs.txt
	rm -rf $(VENV)/lock
	{ echo "# Made by 'make lock': the lock as a conda environment, for snakemake --sdm conda."; \
	  printf 'channels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n'; \
	  sed -n 's/^\([^#].*\)/      - \1/p' envs/requirements.txt; } > envs/medsynth.yaml

clean:
	test ! -d results || find results -mindepth 1 -maxdepth 1 ! -name reference -exec rm -rf {} +
	rm -rf .snakemake .medsynth_key

distclean: clean
	rm -rf $(VENV) .environments build *.egg-info
