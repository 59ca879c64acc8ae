"""Changed answers against brute force, and on networks that answer anew in every pass."""

import pytest
import torch

from mnist_compress import measure
from mnist_compress.pruning import prune
from mnist_compress.statistics import mcnemar_exact, newcombe_paired_difference


def test_changed_answers_by_brute_force(model, integer, test):
    for other in (prune(model, 0.9), integer):
        changed = measure.changed_answers(model, other, test)
        with torch.no_grad():
            before = model(test.inputs).argmax(1).tolist()
            after = other(test.inputs).argmax(1).tolist() if other is not integer \
                else integer.predict(test.images.numpy()).tolist()
        places = [n for n in range(3000) if before[n] != after[n]]
        assert places and changed.places.tolist() == places
        assert changed.before.tolist() == before
        assert changed.after.tolist() == after
        right = [sum(map(int.__eq__, answers, test.labels.tolist())) for answers in (before, after)]
        both, lost, won, neither = changed._counts
        assert [both + lost, both + won] == right and sum(changed._counts) == 3000
        assert (lost, won) == (changed.lost, changed.won) and neither
        shares = [measure.by_digit(network, test) for network in (model, other)]
        assert torch.allclose(changed.by_digit, 100 * (shares[1] - shares[0]))


@pytest.mark.usefixtures("undisturbed")
def test_a_network_never_differs_from_itself(mixed):
    network, pair = mixed
    for other in (network, prune(network, 0)):
        changed = measure.changed_answers(network, other, pair)
        assert len(changed.places) == 0
        assert changed.difference == 0
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


def changes(both, lost, won, neither):
    """Answers with these counts, all labels being 1."""
    before = [1] * (both + lost) + [0] * (won + neither)
    after = [1] * both + [0] * lost + [1] * won + [0] * neither
    return measure.ChangedAnswers(torch.tensor(before), torch.tensor(after),
                                  torch.ones(len(before), dtype=torch.int64))


def test_what_changed_is_counted_and_told():
    found = changes(3500, 41, 38, 421)
    assert (found.lost, found.won, len(found.places)) == (41, 38, 79)
    assert found.difference == pytest.approx(-0.075)
    assert found.p_value == mcnemar_exact(41, 38)
    low, high = newcombe_paired_difference(3500, 38, 41, 421)
    assert found.interval == pytest.approx((100 * low, 100 * high))
    assert found.sentence.endswith(
        "Right answers: -0.075 points (95 % interval -0.52 to 0.37; exact McNemar p = 0.82, from "
        "41 lost and 38 won). That could be luck.")


@pytest.mark.parametrize(("table", "words"), [
    ((3500, 80, 20, 400), "p < 0.001, from 80 lost and 20 won). Luck alone would rarely do this."),
    ((3500, 20, 80, 400), "Right answers: +1.5 points"),
    ((3600, 0, 0, 400), "No answer changed between right and wrong"),
    ((14, 5, 0, 22), "won). Interval and test disagree, so it stays undecided."),
    ((3600, 6, 0, 394), "(95 % interval -0.30 to -0.003;"),  # an end beside zero shows its side
    ((3600, 6, 0, 394), "p = 0.031, from 6 lost and 0 won). Luck alone would rarely do this."),
    ((0, 1, 0, 0), "from 1 lost and 0 won"),
])
def test_the_verdict_follows_from_interval_and_test(table, words):
    assert words in changes(*table).sentence
