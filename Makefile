# `make lab` opens the course, `make test` checks it. Both set everything up the first time.
PYTHON = python3
PORT = 8888
# PyTorch's wheel index for CPUs: TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX =
# a folder made by `make wheels`, to install without network: WHEELS=wheels
WHEELS =
# for reset, execute and drift, such as NOTEBOOK=03
NOTEBOOK =
# for bench, such as ONLY="runtimes widgets"
ONLY =

BIN = .venv/bin
READY = .venv/.ready
RUN = $(BIN)/python -m tools.

.PHONY: lab test execute drift soak bench book wheels reset

lab: $(READY)
	@$(RUN)lab $(PORT)

test: $(READY)
	@$(RUN)check

execute: $(READY)
	@$(RUN)execute $(NOTEBOOK)

drift: $(READY)
	@$(RUN)drift $(NOTEBOOK)

soak: $(READY)
	@$(RUN)soak

bench: $(READY)
	@$(RUN)bench $(ONLY)

book: $(READY)
	@$(RUN)book

wheels:
	@$(PYTHON) -m tools.setup wheels "$(TORCH_INDEX)"

reset:
	@$(PYTHON) -m tools.reset $(NOTEBOOK)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 to 3.14, or say make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -m tools.setup install "$(TORCH_INDEX)" "$(WHEELS)"
	@touch $(READY)
