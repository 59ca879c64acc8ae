"""What a person runs, many by a make target: `python -m tools.lab` is `make lab`.

setup      makes .venv, or a folder of wheels; standard library only, as it runs before all else
lab        opens JupyterLab on the learner's copies of the notebooks
learner    makes these copies
reset      brings one of them back as it was shipped
check      `make test`: lint, unit, notebooks, browser
execute    runs the notebooks and stores their outputs
drift      do they print the same under other settings and orders?
soak       the long checks: coverage, `fuzz` (damaged packed files), mutants, chips, killed kernels
platforms  has every dependency a wheel on every platform?
report     what a class answered, out of the learners' state files
bench      the benchmarks and their table
book       the executed notebooks as a static site
pictures   the pictures of README, from the site's widgets
notebooks  what check, execute, drift, book and the tests share
image      a network as an image for a board
licenses   what is installed, and under which licenses
train_pretrained, small_convolution  train the networks that the package ships
train_convolutions, train_steps, record_chip, record_compiled  make its recorded files
jupyter/   settings for JupyterLab: those of the installed package, and of a learner's copies
web/       makes the scripts of the pages in mnist_compress/deploy/web small, with Node
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
