# Needs Debian's Python 3.11 with venv, and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
RUN ?= build/training
# A test file's fixtures are made once, so that a file stays on one core; long files begin first.
PYTEST := -m pytest -q --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
GALLERY := $(BIN)/gallery --database demo/gallery.db

.PHONY: demo test test-slow test-all coverage lint docs format bench train drawing install clean

demo: install  ## Enroll the sample characters, identify pictures, label a folder.
	rm -rf demo
	$(GALLERY) enroll data/characters
	$(GALLERY) identify data/screenshots --annotate demo/annotated
	$(GALLERY) label data/screenshots --out demo/labels.csv
	@echo
	@echo "Look at the pictures in demo/annotated, and at the table demo/labels.csv."
	@echo "Then decide of the faces in a browser: $(GALLERY) review"

test: install  ## Run the tests, but for the slow ones.
	$(BIN)/python $(PYTEST) -m "not slow"

test-slow: install  ## Run the slow ones.
	$(BIN)/python $(PYTEST) -m slow

test-all: test test-slow  ## Run all tests.

coverage: install  ## Run the tests as `test` does, and print which branches they do not reach.
	rm -rf build/coverage
	mkdir -p build/coverage
	$(BIN)/python -m coverage run $(PYTEST) -m "not slow"
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

lint: install  ## Check style and types.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: .venv/docs  ## Make a site of the pages in build/site; a link that leads nowhere ends it.
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

format: install  ## Put the code into the project's style.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: install  ## Measure speed and accuracy, side by side, in one run, and keep the figures.
	$(BIN)/python -m benchmarks --keep

train: .venv/training  ## Train the shipped networks, or go on with them; RUN keeps checkpoints.
	$(BIN)/python -m training train --config training/configs/anime-lite.toml --cache $(RUN)/cache --run $(RUN)/lite
	$(BIN)/python -m training train --config training/configs/anime-wide.toml --cache $(RUN)/cache --run $(RUN)/wide
	$(BIN)/python -m training train --config training/configs/anime-fine.toml --cache $(RUN)/cache --run $(RUN)/fine
	$(BIN)/python -m training train --cache $(RUN)/cache --run $(RUN)/dlib
	$(BIN)/python -m training.detector label --run $(RUN)/heads
	$(BIN)/python -m training.detector train --run $(RUN)/heads
	$(BIN)/python -m training.landmarks label --run $(RUN)/eyes --cache $(RUN)/heads/cache
	$(BIN)/python -m training.landmarks train --run $(RUN)/eyes --cache $(RUN)/heads/cache --detector $(RUN)/heads/last.pt

drawing: install  ## Draw the sample pictures anew.
	$(BIN)/python -m drawing

install: .venv/installed

# Made once, and again when what it is made from changes.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[cluster,fonts,postgres,web]' --group dev
	touch $@

.venv/training: .venv/installed
	$(BIN)/python -m pip install --quiet --group train
	touch $@

.venv/docs: .venv/installed
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

clean:  ## Remove what the other targets made.
	rm -rf .venv demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
