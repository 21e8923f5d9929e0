# Every target sets up what it needs, from a clone with git, make and a CPython >= 3.11. `make` alone lists them.
# Written for GNU make 3.81, which is what macOS has.

PYTHON ?=
PORT ?= 8888
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LESSON := notebooks/00_start_here.ipynb

# Written last, so a venv that was interrupted half-way has none. It holds the clone's path: in a copied or moved clone
# the venv points to the old place, and one whose Python was uninstalled cannot print it. Both are made again.
WHOLE := $(VENV)/whole
ifneq ($(shell $(BIN)/python -c 'print(open("$(WHOLE)").read(), end="")' 2>/dev/null),$(CURDIR))
.PHONY: $(WHOLE)
endif

# Found by running them: a pyenv shim can be called python3.13 and fail.
CANDIDATES := python3.13 python3.12 python3.14 python3.11 python3 python \
	/opt/homebrew/bin/python3 /usr/local/bin/python3 /usr/bin/python3
WILL_DO := import sys, venv, ensurepip, ssl, sqlite3; \
	sys.exit(sys.version_info < (3, 11) or sys.implementation.name != "cpython")

define NO_PYTHON
No suitable Python found. Midflight needs CPython 3.11 or newer, with venv.

  Debian, Ubuntu   sudo apt install python3 python3-venv
  macOS            brew install python@3.13
  Windows          wsl --install, and in its terminal as on Debian

If you have one under another name: make PYTHON=/path/to/python3
endef
export NO_PYTHON

# Whether the compiled core is built. It is optional: all answers are the same without it.
CORE := $(VENV)/core

.PHONY: help lab test coverage notebooks sheets slides site progress ready lint constraints clean

help:
	@echo 'make lab          open the first lesson in JupyterLab (PORT=8888)'
	@echo 'make test         run every test, the notebooks included (ARGS="-k name" goes to pytest)'
	@echo 'make coverage     which lines and branches of simlib no test runs; half an hour'
	@echo 'make notebooks    run all notebooks and save them (ARGS="00 03" for some)'
	@echo 'make sheets       the lessons for a workshop, in build/: with solutions, and without'
	@echo 'make slides       a talk of each lesson, in build/slides; needs npm, once'
	@echo 'make site         the course as a folder of web pages, in build/site: to read, and to run in the browser'
	@echo 'make progress     one table of what a room has done (ROOM=folder of their progress.jsonl)'
	@echo 'make ready        try all that a workshop needs of this machine, and end in one line'
	@echo 'make lint         ruff and mypy'
	@echo 'make constraints  pin the newest versions within the bounds of pyproject.toml'
	@echo 'make clean        remove the venv and all caches'
	@echo
	@echo 'Each sets up .venv first if need be. PYTHON=/path/to/python3 chooses the interpreter.'

# A fresh clone is untrusted: JupyterLab would hide the saved pictures until every cell is run.
lab: $(WHOLE) $(CORE)
	@set -- notebooks/*.ipynb; test ! -f "$$1" || $(BIN)/jupyter-trust "$$@" >/dev/null
	@page=/lab; test ! -f $(LESSON) || page=/lab/tree/$(LESSON); \
	root=; test "$$(id -u)" != 0 || root=--allow-root; \
	exec $(BIN)/jupyter-lab $$root --port="$(or $(PORT),8888)" --LabApp.default_url="$$page" $(ARGS)

# Progress bars say how fast this machine is; they must not get into the outputs that nbval compares.
test: $(WHOLE) $(CORE)
	TQDM_DISABLE=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
		--nbval --nbval-current-env --nbval-cell-timeout=120 tests notebooks $(ARGS)

# Without -n: pytest-xdist's processes would have to be put together too, and a branch could be missed on the way.
coverage: $(WHOLE) $(CORE)
	@mkdir -p build && rm -f build/coverage*
	TQDM_DISABLE=1 $(BIN)/python -m coverage run -m pytest -q tests $(ARGS)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

notebooks: $(WHOLE)
	$(BIN)/python notebooks/save.py $(ARGS)

sheets: $(WHOLE)
	$(BIN)/python notebooks/sheets.py

slides: $(WHOLE)
	$(BIN)/python notebooks/slides.py

site: $(WHOLE)
	$(BIN)/python notebooks/pages.py

progress: $(WHOLE)
	@$(BIN)/python notebooks/room.py "$(ROOM)"

# The last line is the answer: on a failure make would write one of its own below it.
ready:
	@if $(MAKE) --no-print-directory $(WHOLE); then $(BIN)/python notebooks/ready.py || true; \
	else echo 'Not ready: the setup did not come to its end. Do this: read what it says above, then make ready again.'; fi

lint: $(WHOLE)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

$(WHOLE): pyproject.toml constraints.txt
	@rm -f $(WHOLE); found=; \
	for python in $(or $(PYTHON),$(CANDIDATES)); do \
		if "$$python" -c '$(WILL_DO)' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if test -z "$$found"; then printf '%s\n' "$$NO_PYTHON" >&2; exit 1; fi; \
	echo "Setting up $(VENV) with $$("$$found" --version); once, it takes about a minute."; \
	"$$found" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@# Without it, JupyterLab begins by asking whether it may fetch news. Nothing here needs the network.
	@$(BIN)/jupyter-labextension disable @jupyterlab/apputils-extension:announcements >/dev/null 2>&1
	@printf '%s' "$(CURDIR)" >$(WHOLE)

$(CORE): $(WHOLE) core/pyproject.toml core/setup.py $(wildcard core/src/*)
	@if ! c++ --version >/dev/null 2>&1; then \
		echo 'No C++ compiler: explore runs without its compiled core, slower and with the same answers.'; \
	elif $(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./core \
		>$(VENV)/core.log 2>&1; then touch $@; \
	else echo 'The compiled core was not built; $(VENV)/core.log says why. explore runs without it, slower.'; fi

# The oldest Python decides: what runs on it runs on the later ones, but not the other way round. Some packages want
# 3.11.5, and Debian 12 has 3.11.2.
OLDEST := import sys; sys.exit(sys.version_info[:3] > (3, 11, 2) and "needs a CPython 3.11.2 or older: PYTHON=")
constraints:
	rm -rf build/pins && $(or $(PYTHON),/usr/bin/python3.11) -m venv build/pins
	build/pins/bin/python -c '$(OLDEST)'
	build/pins/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	{ echo '# The versions that a clone installs, next year too: from the bounds in pyproject.toml, on the oldest Python.'; \
	  echo '# Made by `make constraints`.'; \
	  build/pins/bin/python -m pip freeze --exclude-editable; } >build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/pins

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .ipynb_checkpoints *.egg-info
	find . '(' -name __pycache__ -o -name .ipynb_checkpoints ')' -prune -exec rm -rf '{}' +
