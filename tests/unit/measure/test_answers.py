"""Changed answers against brute force, and on networks that answer anew in every pass."""

import pytest
import torch

from mnist_compress import measure
from mnist_compress.pruning import prune


def test_changed_answers_by_brute_force(model, integer, test):
    for other in (prune(model, 0.9), integer):
        changed = measure.changed_answers(model, other, test)
        with torch.no_grad():
            before = model(test.inputs).argmax(1).tolist()
            after = other(test.inputs).argmax(1).tolist() if other is not integer \
                else integer.predict(test.images.numpy()).tolist()
        places = [n for n in range(3000) if before[n] != after[n]]
        assert places and changed.places.tolist() == places
        assert changed.before.tolist() == [before[n] for n in places]
        assert changed.after.tolist() == [after[n] for n in places]
        right = [sum(map(int.__eq__, answers, test.labels.tolist())) for answers in (before, after)]
        found = changed.comparison
        assert [found.both + found.only_before, found.both + found.only_after] == right


@pytest.mark.usefixtures("undisturbed")
def test_a_network_never_differs_from_itself(mixed):
    network, pair = mixed
    for other in (network, prune(network, 0)):
        changed = measure.changed_answers(network, other, pair)
        assert len(changed.places) == len(changed.before) == len(changed.after) == 0
        assert changed.comparison.difference == 0
    assert len(measure.changed_answers(network, prune(network, 0.9), pair).places) > 0


def test_one_answer_is_no_plural(test):
    labels = test.labels[:20]
    before, after = torch.nn.Identity(), torch.nn.Identity()
    logits = torch.nn.functional.one_hot(labels, 10).float()
    for count, told in ((1, "1 answer changed: 0 from"), (2, "2 answers changed: 0 from")):
        wrong = logits.clone()
        wrong[:count] = torch.eye(10)[1]  # these are zeros
        after.register_forward_hook(lambda *_, wrong=wrong: logits)
        before.register_forward_hook(lambda *_, wrong=wrong: wrong)
        changed = measure.changed_answers(before, after, (logits, labels))
        assert changed.sentence.startswith(told)
