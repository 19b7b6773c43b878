# `make demo` and `make test` are all a newcomer needs; every target makes .venv itself.
#
#   make demo          walk a figure-8, lose a leg at half-time, leave a report     make demo ARGS='--seconds 20'
#   make test          every test that needs no PyTorch                             make test ARGS='test/core -x'
#   make test-long     what takes long by nature: many trials, long runs
#   make test-firmware the images of firmware/ in an emulator (needs qemu-system-arm and arm-none-eabi-gcc)
#   make env           .venv alone, for `ros2 launch` and `millirobot`
#   make test-lowest   the tests that start no processes, with the oldest libraries that setup.py allows
#   make lint          ruff and mypy
#   make test-train    the tests of learning/, with PyTorch
#   make models        collect on the mock and train every model that ships; goes on where an earlier call ended
#   make docs          the pages of docs/ as a website in build/docs
#   make reference     the generated pages: docs/parameters.md, docs/commands.md, docs/api.md
#   make clean         remove .venv and caches; runs/ stays
#
# PYTHON=/path/to/python3.12 chooses the interpreter (3.10 to 3.13); a sourced ROS 2 installation is used where there is one.
# Without one, ROS=kilted takes ROS 2 Kilted's wheels and not Jazzy's; VENV=.venv-kilted keeps both.

.PHONY: demo test test-long test-lowest env-lowest test-firmware lint test-train models docs reference clean env
.DEFAULT_GOAL := demo

# The ROS wheels mark the environment of whatever they start; the marks of another .venv would mislead ours.
ifdef _ROS_WHEELS_BOOTSTRAP_COMPLETE
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
endif
# Set before it is exported: to export a variable that is not set makes it an empty one.
VENV ?= .venv
export PYTHON ROS VENV

BIN := $(VENV)/bin
# One worker walks the robots, and waits half of its time; test/conftest.py says what comes first.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder

demo: env
	@$(BIN)/millirobot demo $(ARGS)

test: env
	@.ci/test.sh $(BIN)/python -m 'not train and not long and not firmware' $(PARALLEL) $(ARGS)

test-long: env
	$(BIN)/python -m pytest -m 'long and not train' $(ARGS)

test-firmware: env
	@for tool in cc qemu-system-arm arm-none-eabi-gcc; do command -v $$tool >/dev/null || \
	  { echo "error: $$tool is missing; install gcc, qemu-system-arm and gcc-arm-none-eabi" >&2; exit 2; }; done
	@.ci/test.sh $(BIN)/python -s -m firmware test/firmware $(ARGS)

# Every library at its lower bound of setup.py, in an environment of its own; needs Python 3.10 or 3.11, where all of
# these versions have wheels.
env-lowest:
	@$(or $(PYTHON),python3) -m venv .venv-lowest
	@.venv-lowest/bin/python .ci/lowest.py sim report film parquet > .venv-lowest/constraints.txt
	@.venv-lowest/bin/python -m pip install --quiet 'pip>=24'
	@.venv-lowest/bin/python -m pip install --quiet --constraint .venv-lowest/constraints.txt --editable '.[ros,film,test]'

test-lowest: env-lowest
	@.ci/test.sh .venv-lowest/bin/python -m 'not train and not long and not system and not firmware' $(PARALLEL) $(ARGS)

lint:
	@.ci/venv.sh lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-train:
	@.ci/venv.sh train
	@.ci/test.sh $(BIN)/python -m train $(ARGS)

models:
	@.ci/venv.sh train
	@$(BIN)/millirobot make-models $(ARGS)

docs:
	@.ci/venv.sh docs
	$(BIN)/mkdocs build --strict --quiet
	@echo build/docs/index.html

reference: env
	$(BIN)/python -m millirobot_adapt.app.reference > docs/parameters.md
	$(BIN)/python -m millirobot_adapt.app.command_reference > docs/commands.md
	$(BIN)/python -m millirobot_adapt.app.api_reference > docs/api.md

env:
	@.ci/venv.sh

clean:
	rm -rf .venv .venv-lowest .venv-kilted build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
