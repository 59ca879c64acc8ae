"""What a page cannot compute and therefore brings: questions with what decides them, explorers."""

import base64
import itertools
import os
import tempfile

import torch

from mnist_compress.data import load_sample
from mnist_compress.training import train, trained_model
from mnist_compress.ui.evidence import show_me
from mnist_compress.ui.exercises import exercise_notebooks
from mnist_compress.ui.explorer import explore_flatten
from mnist_compress.ui.explorers import (
    explore_epochs,
    explore_pruning,
    explore_quantization,
    explore_tradeoff,
    tradeoffs,
)
from mnist_compress.ui.guesses import GUESSES
from mnist_compress.ui.questions import load_questions
from tools.book.polish import small_picture

EXPLORERS = {  # (model, training digits, validation digits) -> what the notebook of each makes
    "explore_flatten": lambda _, digits, __: explore_flatten(digits.images[700]),
    "explore_epochs": lambda _, *parts: explore_epochs(parts[0], train(*parts)[1]),
    "explore_pruning": explore_pruning,
    "explore_quantization": lambda model, _, validation: explore_quantization(model, validation),
    "explore_tradeoff": lambda *given: explore_tradeoff(tradeoffs(*given))}


def practice():
    """All questions with feedback, evidence and card; all guesses; which exercise is where."""
    torch.set_num_threads(1)  # as the notebooks do
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MNIST_COMPRESS_STATE"] = folder  # nobody's own answers on a page
        questions = {name: _question(question) for name, question in load_questions().items()}
    return {"questions": questions, "exercises": exercise_notebooks(),
            "guesses": {key: about._asdict() for key, about in GUESSES.items()}}


def _question(question):
    return {**question.page(), "notebook": question.notebook, "place": question.place,
            "sibling_of": question.sibling_of,
            "evidence": show_me(question.id) if question.show_me else ""}


def explorer(name):
    """The explorer of this name over the course's own network: what it opens with, and
    {places of its controls: [sentence, picture]} for all that they can be."""
    found = EXPLORERS[name](trained_model(), *load_sample()[:2])
    start = dict(found.values)
    opens = {"controls": found.controls, "values": start, "width": found.width,
             "sentence": found.sentence, "png": _text(found.png)}
    recorded = {}
    for places in itertools.product(*(range(len(each["values"])) for each in found.controls)):
        found.set(**{control["name"]: control["values"][place]
                     for control, place in zip(found.controls, places, strict=True)})
        recorded[",".join(map(str, places))] = [found.sentence, _text(found.png)]
    return opens, recorded


def _text(png):
    return base64.b64encode(small_picture(png)).decode()

