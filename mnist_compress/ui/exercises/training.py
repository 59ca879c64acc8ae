"""The exercises of 02_training: right functions, with switches for mistakes."""

import torch


def _accuracy(logits, labels, dimension=1, counted=False, full=1, wrong_ones=False,
              probability=False):
    hits = (logits.argmax(dimension)[:len(labels)] == labels).float()
    if wrong_ones:
        hits = 1 - hits
    if probability:
        hits = logits.softmax(1).gather(1, labels[:, None])
    return hits.sum() if counted else full * hits.mean()


_LOGITS = torch.tensor([[2.0, 0.1, 0.3, 0.2], [0.2, 0.1, 9.0, 0.3], [0.5, 0.3, 0.1, 3.0]])
EXERCISES = {
    "my_accuracy": (_accuracy, [(_LOGITS, torch.tensor([0, 2, 1])),
                                (_LOGITS, torch.tensor([2, 2, 3]))]),
}
