"""What holds for all measures, on random trees of modules in any mode and precision."""

import copy

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_compress import measure
from mnist_compress.pruning import prune

from ..test_training import PARTS, random_module

DTYPES = st.sampled_from([torch.float32, torch.float64, torch.bfloat16])


@given(PARTS, st.integers(0, 9), st.booleans(), DTYPES, st.sampled_from([0, 0.3, 0.95]))
@settings(deadline=None, max_examples=15)
def test_measures_are_true_and_disturb_nothing(parts, seed, training, dtype, sparsity):
    network = prune(random_module(parts, seed), sparsity).to(dtype).train(training)
    pair = torch.randn(12, 16), torch.randint(3, (12,))
    modes, before = [part.training for part in network.modules()], copy.deepcopy(
        network.state_dict())
    random = torch.random.get_rng_state()
    assert measure.dense_file("", network, pair).same_answers
    assert measure.masked_file("", network, pair, 0.5).same_answers
    assert measure.dense_file("", network, pair, "gzip").same_answers
    assert len(measure.changed_answers(network, copy.deepcopy(network), pair).places) == 0
    linear = [part for part in network.modules() if isinstance(part, nn.Linear)]
    assert measure.multiply_adds(network) == measure.multiply_adds(network, pair[0]) == (
        sum(part.weight.numel() for part in linear),
        sum(int((part.weight != 0).sum()) for part in linear))
    rows = measure.latency_rows(network, network, None, pair, batches=[1, 12], rounds=2, names=[
        "dense float32", "masks left on"])
    assert [row.batch for row in rows] == [1, 1, 12, 12]
    assert torch.equal(random, torch.random.get_rng_state())
    assert modes == [part.training for part in network.modules()]
    assert all(torch.equal(before[name], part) for name, part in network.state_dict().items())
