# Everything a developer runs. `make demo` and `make test` set up what is missing first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test lint typecheck bench bench-attacks image setup engine-stop clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Many images set it; every program would compile all that it imports, seconds each time.
unexport PYTHONDONTWRITEBYTECODE

# make demo CHECK=1: nobody present; runs, trains, submits, grades, prints the table, ends.
CHECK ?=

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## set up everything and open JupyterLab on the demo course (CHECK=1: check it and end)
	@.ci/demo.sh $(if $(CHECK),--check)

test: ## set up everything and run every test; logs in .artifacts/logs
	@.ci/test.sh

setup: ## virtual environment and front end, ready for work
	@.ci/setup.sh

lint: setup ## style, layers, file hygiene
	ruff check .
	ruff format --check .
	lint-imports
	python .ci/hygiene.py
	codespell notebooks docs README.md CHANGELOG.md CONTRIBUTING.md

typecheck: setup ## mypy, strict
	mypy

bench: setup image ## the benchmarks, as tables
	python benchmarks/sandbox.py
	python benchmarks/class_of_30.py
	python benchmarks/sealed.py
	python benchmarks/gradebook.py
	python benchmarks/progress.py
	python benchmarks/drafts.py
	python benchmarks/submitting.py
	python benchmarks/class_of_100.py
	python benchmarks/training.py
	python benchmarks/live_widget.py
	python benchmarks/course_times.py

bench-attacks: setup image ## 41 attacks on grading: does nbgrader resist, do we
	python benchmarks/attacks.py

image: setup ## container engine and sandbox image
	docker/engine.sh start
	jupyter ppo image build

engine-stop: ## end the container engine that this checkout started, if it did
	docker/engine.sh stop

clean: engine-stop ## remove what was built or downloaded into this checkout
	rm -rf .venv .build .artifacts .demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf jupyter_ppo/labextension jupyter_ppo/_version.py labextension/lib labextension/node_modules labextension/.yarn labextension/*.tsbuildinfo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
