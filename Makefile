# `make lab` opens the course, `make test` checks it. Both set everything up the first time, and again
# when the folder was moved, the versions changed, or the Python is gone.
PYTHON = python3
PORT = 8888
# PyTorch's wheel index. auto: that for CPUs on Linux without a graphics card; empty: PyPI alone
TORCH_INDEX = auto
# a folder made by `make wheels`, to install without network: WHEELS=wheels
WHEELS =
# for reset, execute and drift, such as NOTEBOOK=03
NOTEBOOK =
# for report: the learners' state files
FOLDER =
# for bench, such as ONLY="runtimes widgets"
ONLY =

BIN = .venv/bin
RUN = $(BIN)/python -m tools.

.PHONY: lab test execute drift soak bench book wheels reset report ready-lab ready-test \
	set-up-lab set-up-test found

lab: ready-lab
	@$(RUN)lab $(PORT)

test: ready-test
	@$(RUN)check

execute: ready-test
	@$(RUN)execute $(NOTEBOOK)

drift: ready-test
	@$(RUN)drift $(NOTEBOOK)

soak: ready-test
	@$(RUN)soak

bench: ready-test
	@$(RUN)bench $(ONLY)

book: ready-test
	@$(RUN)book

wheels: found
	@$(PYTHON) -m tools.setup wheels "$(TORCH_INDEX)"

report: ready-lab
	@$(RUN)report "$(FOLDER)"

reset:
	@$(PYTHON) -m tools.reset $(NOTEBOOK)

# the course, and what tests need besides
ready-lab ready-test: ready-%:
	@$(RUN)setup ready $* 2>/dev/null || $(MAKE) --no-print-directory set-up-$*

set-up-lab set-up-test: set-up-%: found
	@$(PYTHON) -m tools.setup $* "$(TORCH_INDEX)" "$(WHEELS)"

found:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 to 3.14, or say make PYTHON=/path/to/python3."; exit 1; }
