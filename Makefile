# Every target builds what it needs, from nothing but Python 3.11 or newer. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The targets only call the one command line; what they take as variables, it takes as options too.
ECS_REBOOT := $(BIN)/ecs-reboot
# Names the exact versions of everything installed; `make upgrade` writes it again.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --no-compile --constraint constraints.txt
# The first install takes minutes: a terminal sees pip's own progress, a file only what went wrong.
QUIETLY = $(shell test -t 2 || echo --quiet)

# Which target takes which variable stands in the help of each, and only there. Another one on the command line is refused,
# for `make deploy SET=DRY_RUN=true` must not deploy for real. Without variables nobody is asked.
FOR_ALL := PYTHON VENV SHELL MAKEFLAGS MAKEFILES
GIVEN := $(filter-out $(FOR_ALL),$(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
ifneq ($(GIVEN),)
# As text, an unescaped number sign would begin a comment, and an escaped one means another thing in each make.
H := \#
# target: of each target, and target:VARIABLE of each of its variables.
TAKEN := $(shell awk -F ':.*$(H)$(H) ' '/^[a-z-]+:.*$(H)$(H) / { print $$1 ":"; said = $$2; gsub(/"[^"]*"/, "", said); \
	while (match(said, /[A-Z][A-Z_]*=/)) { print $$1 ":" substr(said, RSTART, RLENGTH - 1); \
	said = substr(said, RSTART + RLENGTH) } }' $(firstword $(MAKEFILE_LIST)))
# A goal without a help text, such as a file of the environment, takes what any target takes.
GOALS := $(filter $(patsubst %:,%,$(filter %:,$(TAKEN))),$(or $(MAKECMDGOALS),help))
ALLOWED := $(foreach pair,$(if $(GOALS),$(filter $(addsuffix :%,$(GOALS)),$(TAKEN)),$(TAKEN)),$(lastword $(subst :, ,$(pair))))
REFUSED := $(filter-out $(ALLOWED),$(GIVEN))
ifneq ($(REFUSED),)
IN_QUOTES = '$(subst ','\'',$(1))'
ADVICE := $(shell $(PYTHON) -I src/cli/refused_variables.py '$(GOALS)' '$(TAKEN)' \
	$(foreach name,$(REFUSED),$(call IN_QUOTES,$(name)=$(value $(name)))) 2>/dev/null)
$(error $(or $(ADVICE),$(REFUSED): not a variable of $(or $(GOALS),this Makefile). `make help` has those of each target.) \
	Nothing was done)
endif
endif

.DEFAULT_GOAL := help
.PHONY: help demo invoke serve explain replay digest forecast build validate render deploy status logs ledger remove doctor \
	acceptance bench simulate explore mutate fuzz properties evidence screenshots browser test coverage lint format audit docs upgrade clean
# Two targets choose it; what the command line has reaches the commands by itself.
export RUNTIME

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { line = sprintf("make %-13s%s", $$1, $$2); \
	  first = index(line, " ["); if (length(line) > 120 && first) \
	    line = substr(line, 1, first - 1) sprintf("\n%18s", "") substr(line, first + 1); print line }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## alarms turn into reboots and records, on a local cloud, in a minute [CODE=]
	@$(ECS_REBOOT) demo

invoke: $(VENV)/.run ## one invocation: EVENT=path [FLEET=] [SET="KEY=VALUE ..."] [AUDIT=] [CODE=] [TIMEOUT=] [STRICT=1] [DEPLOYED=1] [PARAMS=]
	@$(ECS_REBOOT) invoke

serve: $(VENV)/.run ## the local cloud until interrupted: [PORT=] [FLEET=file or demo] [CODE=] [SET="KEY=VALUE ..."] [DEPLOYED=1] [PARAMS=]
	@exec $(ECS_REBOOT) serve $(if $(PORT),--port $(PORT))

explain: $(VENV)/.run ## the guards of each instance and what they read: EVENT=path or RECORDS=file [INSTANCE=] [FLEET=] [SET=] [CODE=]
	@$(ECS_REBOOT) explain

replay: $(VENV)/.run ## recorded decisions under other settings: RECORDS=file [SET="KEY=VALUE ..."]
	@$(ECS_REBOOT) replay

digest: $(VENV)/.run ## would have rebooted 7, refused 41, for these reasons: RECORDS=file [DAYS=7]
	@$(ECS_REBOOT) digest

forecast: $(VENV)/.run ## what the timers would do: [DAYS=1] [START=] [FLEET=] [TIMERS=path] [SET=]
	@$(ECS_REBOOT) forecast

build: $(VENV)/.run ## what is deployed: build/function/ and its zip, [RUNTIME=python3.10|python3.12|host] [RUNTIME_PYTHON=path]
	@$(ECS_REBOOT) build

validate: $(VENV)/.schemas ## check template.yml offline, against the official resource schemas
	@$(ECS_REBOOT) validate

render: $(VENV)/.schemas ## what the template would create: [PARAMS="Key=Value ..."] [REGION=] [STACK=]
	@$(ECS_REBOOT) render

# The local cloud runs the function with the Python at hand.
deploy: RUNTIME := $(or $(RUNTIME),$(if $(ENDPOINT),host))
# Mistakes in the parameters, and credentials or an address that can't be used, are found before the package is built.
.PHONY: checked
checked: $(VENV)/.stack
	@$(ECS_REBOOT) deploy --check --reach

deploy: checked build ## create or update the stack: [PARAMS="Key=Value ..."] [PLAN=1] [REGION=] [STACK=] [ENDPOINT=] [BUCKET=] [PACKAGE=] [RUNTIME=] [RUNTIME_PYTHON=]
	@$(ECS_REBOOT) deploy

status: $(VENV)/.stack ## how the stack stands: [REGION=] [STACK=] [ENDPOINT=]
	@$(ECS_REBOOT) status

logs: $(VENV)/.stack ## its records: [MINUTES=] [QUERY=] [FUNCTION=1], or into a file for digest: RECORDS=file [REGION=] [STACK=] [ENDPOINT=]
	@$(ECS_REBOOT) logs

remove: $(VENV)/.stack ## delete the stack, keep logs and ledger: [LOGS=1] [FORGET=1] delete them too [REGION=] [STACK=] [ENDPOINT=]
	@$(ECS_REBOOT) remove

ledger: $(VENV)/.stack ## what is remembered of the region, or of one instance: [INSTANCE=] [REGION=] [STACK=] [ENDPOINT=]
	@$(ECS_REBOOT) ledger show

doctor: $(VENV)/.stack ## what will and will not work tonight: [REGION=] [STACK=] [ENDPOINT=]
	@$(ECS_REBOOT) doctor

# It deploys: the local cloud runs the function with the Python at hand. What would keep it from beginning is found before
# the package is built.
acceptance: RUNTIME := $(or $(RUNTIME),$(if $(ENDPOINT),host))
.PHONY: rebootable
rebootable: $(VENV)/.stack
	@$(ECS_REBOOT) acceptance --check

acceptance: rebootable build ## what no document says, on an account: INSTANCE= is rebooted [CONTACT_GROUP=] [ONLY=] [YES=1] [KEEP=1] [REPORT=] [REGION=] [STACK=] [ENDPOINT=] [PACKAGE=] [RUNTIME=] [RUNTIME_PYTHON=]
	@$(ECS_REBOOT) acceptance

bench: $(VENV)/.dev ## cold starts, the local cloud, alarm to reboot against their bars: [DEPLOYED=1] the last alone
	@$(ECS_REBOOT) bench

simulate: $(VENV)/.dev ## duplicates, crashes, lost answers by the thousand: [SEED=1] [DELIVERIES=100000] [LESS=assumption]
	@$(ECS_REBOOT) simulate $(if $(SEED),--seed $(SEED)) $(if $(DELIVERIES),--deliveries $(DELIVERIES)) \
	  $(if $(LESS),--assume-less $(LESS))

explore: $(VENV)/.dev ## every order of a few runs, with a crash, a lost answer and a retry anywhere: [LESS=assumption] [ONLY=text] [JOBS=1]
	@$(ECS_REBOOT) explore $(if $(LESS),--assume-less $(LESS)) $(if $(ONLY),--only '$(ONLY)') $(if $(JOBS),--jobs $(JOBS))

mutate: $(VENV)/.dev ## take every guard away, one at a time: each must be noticed [ONLY=text] [FROM=text]
	@$(ECS_REBOOT) mutate $(if $(FROM),--from '$(FROM)') $(if $(ONLY),-- '$(ONLY)')

fuzz: $(VENV)/.fuzz ## events made of events, guided by what they reach: ten minutes, or [SECONDS=]
	@PYTHONPATH=tests/fuzz $(BIN)/python tests/fuzz/fuzz_events.py -max_total_time=$(or $(SECONDS),600) -verbosity=0
	@PYTHONPATH=tests/fuzz $(BIN)/python tests/fuzz/reading_costs.py

# In `make test` a property test draws the same examples each time: its verdict is about the code. Here luck may find more.
properties: $(VENV)/.dev ## property tests with examples that nobody has tried yet, [TIMES=10] as many as `make test` draws
	@TIMES=$(or $(TIMES),10) $(PYTEST) -q -n 2 --dist worksteal -m hypothesis

evidence: $(VENV)/.dev ## the wire tests ten times in a row
	@for run in 1 2 3 4 5 6 7 8 9 10; do $(BIN)/python -m pytest -q tests/evidence || exit 1; done

screenshots: $(VENV)/.dev browser ## take the pictures in docs/images again
	@$(BIN)/python -m console.screenshots

# The console is tested in a Chromium: Debian's headless one where it is there or this may install it, or any other.
browser:
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing Debian's chromium-headless-shell ..." >&2; \
	  apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null && \
	  exit 0; \
	fi; \
	for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	echo "no Chromium on PATH: the console's browser tests will be skipped" >&2

# More workers than there are cores, for many tests wait for a server or a clock; whoever is done takes from the others.
# Byte code is kept whatever the environment says: what a test starts would compile all that it imports.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
# Tests that run the function's code in their own process are counted, and run here alone; but for the one that draws
# most, which counting would slow down. Some of the others run it inline here once more, beside the deployed package.
COUNTED := $(filter-out tests/events/test_properties.py,$(wildcard tests/unit/test_*.py tests/events/test_*.py)) \
	$(patsubst %,tests/contract/test_%.py,endpoints filtered_lists ledger_stores tablestore_own_client)
INLINE := $(patsubst %,tests/end_to_end/test_%.py,evidence_in_the_bucket handover_to_itself \
	facts_before_a_reboot observe_mode ledger_in_the_table)

# Which of two waits of the same length ends first depends on the machine; it runs with the deployed package all the same.
WAITS := test_what_goes_wrong_stands_in_the_record_and_the_machine_is_rebooted

# What installs goes side by side, then what checks: one begins where another waits. Two at once would mix their lines, so
# the counted tests say theirs at the end.
test: ## everything that CI runs
	@$(MAKE) --no-print-directory -j 2 $(VENV)/.dev browser
	@mkdir -p build
	@$(MAKE) --no-print-directory -j 3 lint counted others

.PHONY: counted others
counted: $(VENV)/.dev
	@$(MAKE) --no-print-directory coverage >build/coverage.log 2>&1; status=$$?; cat build/coverage.log; exit $$status

others: $(VENV)/.dev
	LEAVE_OUT='$(COUNTED)' $(PYTEST) -n 4 --dist worksteal

coverage: $(VENV)/.dev ## which branches of the function the tests reach; fails below the bound in pyproject.toml
	FUNCTION=inline CODE=src $(PYTEST) --cov --cov-report= $(COUNTED) $(INLINE) \
	  --deselect 'tests/end_to_end/test_evidence_in_the_bucket.py::$(WAITS)[slow]'
	$(BIN)/coverage report --skip-covered
	$(BIN)/python tests/unit/branch_gate.py

lint: $(VENV)/.dev ## ruff, mypy and the layers of the imports, strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# OSV, for it knows versions by themselves: the other database passes over what it can't look up, and says all is well.
audit: $(VENV)/.dev ## known vulnerabilities of every version in constraints.txt, from the OSV database: [OSV_URL=]
	@mkdir -p build
	@$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --progress-spinner off --strict \
	  --vulnerability-service osv $(if $(OSV_URL),--osv-url $(OSV_URL)) 2>build/audit.log; status=$$?; \
	  grep 'known vulnerabilit' build/audit.log >&2 || { status=2; \
	  echo "the OSV database could not be asked, nothing was checked: $$(tail -n 1 build/audit.log)" >&2; }; exit $$status

docs: $(VENV)/.stack ## write the generated tables of docs/ again
	@$(ECS_REBOOT) docs

upgrade: ## write constraints.txt again with the newest versions that pyproject.toml allows
	rm -rf build/upgrade
	$(PYTHON) -m venv build/upgrade
	build/upgrade/bin/python -m pip --quiet install '.[stack,dev]'
	build/upgrade/bin/python -m pip freeze --exclude ecs-reboot > constraints.txt
	PYTHONPATH=src build/upgrade/bin/python -m bundle.digests

clean: ## remove everything that was built
	rm -rf build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

# Which Python made the environment stands in .python. One that is named and is another makes it again.
IDENTITY = $(shell $(PYTHON) -c 'import sys; print(sys.version.split()[0], sys.base_prefix)' 2>/dev/null)
ifneq ($(origin PYTHON),file)
ifneq ($(IDENTITY),$(shell cat $(VENV)/.python 2>/dev/null))
ANOTHER_PYTHON := another-python
endif
endif
.PHONY: another-python
another-python:

$(VENV)/.python: $(ANOTHER_PYTHON)
	@oldest=$$(sed -n 's/^requires-python = ">=\(.*\)"/\1/p' pyproject.toml); \
	found=$$($(PYTHON) -c 'import sys; print(sys.version.split()[0])' 2>/dev/null); \
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < tuple(map(int, '$$oldest'.split('.'))))" 2>/dev/null || { \
	  echo "$(PYTHON) is $${found:+Python }$${found:-not a Python that can be run}; this needs Python $$oldest or newer." \
	    "Name one that you have: make PYTHON=python$$oldest $(MAKECMDGOALS)" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@echo '$(IDENTITY)' > $@

# The first installs what runs the function and the local cloud; the second adds what checks them.
$(VENV)/.run: $(VENV)/.python pyproject.toml constraints.txt
	@echo "installing into $(VENV): a minute or two, once ..." >&2
	@$(PIP) $(QUIETLY) --editable . >&2
	@touch $@

# The official resource schemas are read as data: their packages' own dependencies are not wanted.
$(VENV)/.schemas: $(VENV)/.run src/stack/schema-requirements.txt
	@echo "installing the resource schemas into $(VENV): once ..." >&2
	@$(PIP) $(QUIETLY) --no-deps --requirement src/stack/schema-requirements.txt >&2
	@touch $@

$(VENV)/.stack: $(VENV)/.schemas
	@echo "installing what deploys into $(VENV): a minute or two, once ..." >&2
	@$(PIP) $(QUIETLY) --editable '.[stack]' >&2
	@touch $@

# All at once: each pip looks at every package again, and a fresh clone's `make test` would wait for four of them. What
# comes as source is built with the setuptools that is here: eleven environments of their own take half a minute.
$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt src/stack/schema-requirements.txt
	@echo "installing into $(VENV): a minute or two, once ..." >&2
	@$(PIP) $(QUIETLY) --upgrade setuptools wheel >&2
	@$(PIP) $(QUIETLY) --no-build-isolation --editable '.[stack,dev]' >&2 || $(PIP) $(QUIETLY) --editable '.[stack,dev]' >&2
	@$(PIP) $(QUIETLY) --no-deps --requirement src/stack/schema-requirements.txt >&2
	@touch $(VENV)/.run $(VENV)/.schemas $(VENV)/.stack $@

$(VENV)/.fuzz: $(VENV)/.dev
	@echo "installing the fuzzer into $(VENV): once ..." >&2
	@$(PIP) $(QUIETLY) --editable '.[localcloud,stack,dev,fuzz]' >&2
	@touch $@
