"""Batch norm folded, channels removed; and all that notebook 10 calls, on foreign networks."""

import ast
import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import shufflenet_v2_x0_5

from mnist_compress import measure
from mnist_compress.convolution import fold_batch_norm, remove_channels, small_convolution
from mnist_compress.model import weight_layers
from mnist_compress.pruning import fine_tune, prune, sensitivity_scan, sparsity
from mnist_compress.quantization import round_weights
from mnist_compress.training import evaluate, logits, train_on
from tools.notebooks import code_cells, paths, read


class Mixed(nn.Module):
    """Batch norm, dropout, groups and strides, one ReLU used twice, a forward pass of its own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm2d(8, affine=False)
        self.relu = nn.ReLU()
        self.depthwise = nn.Conv2d(8, 16, 3, stride=2, padding=1, groups=8, bias=False)
        self.second = nn.BatchNorm2d(16)
        self.grouped = nn.Conv2d(16, 16, 3, padding=1, groups=2)
        self.drop = nn.Dropout(0.3)
        self.hidden = nn.Linear(16 * 9, 12)
        self.last_norm = nn.BatchNorm1d(12)
        self.out = nn.Linear(12, 10)

    def forward(self, images):
        values = self.second(self.depthwise(self.relu(self.norm(self.first(images)))))
        values = F.max_pool2d(self.relu(values), 2)
        values = self.drop(F.relu(self.grouped(values)))
        values = self.hidden(values.view(values.size(0), -1))
        return self.out(torch.tanh(self.last_norm(values)))


def with_statistics(network, inputs):
    """The network after two batches, with batch norm that has something to say."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    with torch.no_grad():
        for _ in range(2):
            network(inputs + 0.1)
    return network


@pytest.fixture(scope="module")
def pair(digits):
    some = digits[::16]
    return some.inputs.view(-1, 1, 28, 28), some.labels


@pytest.fixture(params=["small_convolution", "shufflenet", "mixed"])
def case(request, pair):
    """(network in training mode, inputs and labels)."""
    torch.manual_seed(1)
    images, labels = pair
    if request.param == "shufflenet":
        images = F.pad(images, (2, 2, 2, 2)).expand(-1, 3, -1, -1)
        network = shufflenet_v2_x0_5(num_classes=10)
    else:
        network = small_convolution() if request.param == "small_convolution" else Mixed()
    return with_statistics(network, images), (images, labels)


def same(one, other):
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def norms(network):
    return [module for module in network.modules()
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]


def test_all_that_the_notebook_calls_takes_any_network(case):
    network, pair = case
    before, random = copy.deepcopy(network), torch.random.get_rng_state()
    modes = [module.training for module in network.modules()]
    assert 0 <= evaluate(network, pair).accuracy <= 1
    cut = prune(network, 0.5)
    assert sparsity(cut) == pytest.approx(0.5, abs=1e-4)
    tuned = fine_tune(cut, pair, epochs=1, batch_size=21, one_cycle=True, learning_rate=0.01)
    assert sparsity(tuned) >= sparsity(cut) and not same(tuned, cut)
    count = len(weight_layers(network))
    assert len(sensitivity_scan(network, (pair[0][:4], pair[1][:4]), [0.3])) == count
    rounded = round_weights(network, 8, per_channel=True)
    assert len(measure.by_digit(rounded, pair)) == 10
    assert 0.1 < measure.confidence(network, pair) <= 1
    changes = measure.changed_answers(network, rounded, pair)
    rates = [100 * evaluate(each, pair).accuracy for each in (network, rounded)]
    assert changes.difference == pytest.approx(rates[1] - rates[0])
    assert measure.dense_file("dense", network, pair).same_answers
    assert measure.masked_file("masks", network, pair, 0.3).same_answers
    assert measure.torchao_file("torchao", network, pair).same_answers
    all_of_them, needed = measure.multiply_adds(cut, pair[0][:1])
    assert needed < all_of_them
    rows = measure.latency_rows(network, cut, None, pair, batches=(1,), rounds=2,
                                names=("dense float32", "masks left on", "zeros kept dense"))
    assert len(rows) == 3
    assert same(network, before) and torch.equal(random, torch.random.get_rng_state())
    assert modes == [module.training for module in network.modules()]


def test_folding_leaves_no_norm_and_the_same_outputs(case):
    network, pair = case
    before, random = copy.deepcopy(network), torch.random.get_rng_state()
    folded = fold_batch_norm(network)
    assert type(folded) is type(network) and norms(network) and not norms(folded)
    assert folded.training == network.training
    torch.testing.assert_close(logits(folded, pair), logits(network, pair), rtol=1e-4, atol=1e-4)
    exact = logits(fold_batch_norm(network.double()), pair)
    torch.testing.assert_close(exact, logits(network, pair), rtol=1e-9, atol=1e-9)
    assert same(network.float(), before) and torch.equal(random, torch.random.get_rng_state())
    assert same(fold_batch_norm(folded), folded)


def test_norm_that_cannot_be_folded_stays():
    inside = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2),
                           nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2, track_running_stats=False))
    assert len(norms(fold_batch_norm(inside))) == 2
    norm = nn.BatchNorm2d(2, affine=False)
    shared = with_statistics(nn.Sequential(nn.Conv2d(2, 2, 1), norm, nn.Conv2d(2, 2, 1), norm),
                             torch.randn(4, 2, 3, 3))
    assert len(norms(fold_batch_norm(shared))) == 1
    frozen = nn.Sequential(nn.Conv2d(1, 2, 3).requires_grad_(False), nn.BatchNorm2d(2))
    assert not any(part.requires_grad for part in fold_batch_norm(frozen).parameters())


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 10)

    def forward(self, values):
        return self.layer(values if values.sum() > 0 else -values)


@pytest.mark.parametrize("do", [fold_batch_norm, lambda model: remove_channels(model, "layer", 0)])
def test_a_forward_pass_that_branches_is_refused_with_what_to_do(do):
    with pytest.raises(ValueError, match=r"pass of Branching: .*must not branch"):
        do(Branching())


def silent(network, layer, channels):
    """The reference: every reader of these channels has the weight 0 for them."""
    quiet, readers = copy.deepcopy(network), {
        "first": [], "0": ["4"], "4": ["8"], "8": ["13"], "hidden": ["out"], "depthwise": []}
    for name in readers[layer]:
        reader = quiet.get_submodule(name)
        span = reader.weight.shape[1] // len(quiet.get_submodule(layer).weight)
        for channel in channels:
            with torch.no_grad():
                reader.weight[:, channel * span:(channel + 1) * span] = 0
    return quiet


@pytest.mark.parametrize("layer, channels", [("0", [1]), ("4", [0, 3, 15]), ("8", [31, 2])])
def test_removed_channels_are_those_that_nobody_reads(pair, layer, channels):
    network = with_statistics(small_convolution(), pair[0])
    before = copy.deepcopy(network)
    smaller = remove_channels(network, layer, torch.tensor(channels))
    wanted = logits(silent(network, layer, channels), pair)
    torch.testing.assert_close(logits(smaller, pair), wanted, rtol=1e-4, atol=1e-4)
    widths = [8, 16, 32]
    widths[int(layer) // 4] -= len(channels)
    plain = small_convolution(widths)
    assert str(smaller) == str(plain)
    plain.load_state_dict(smaller.state_dict())
    assert same(network, before) and smaller.training
    assert all(part.grad_fn is None and part.requires_grad for part in smaller.parameters())


def test_a_hidden_linear_layer_and_its_norm_lose_units(pair):
    network = with_statistics(Mixed(), pair[0])
    smaller = remove_channels(network, "hidden", [0, 5])
    wanted = logits(silent(network, "hidden", [0, 5]), pair)
    torch.testing.assert_close(logits(smaller, pair), wanted, rtol=1e-4, atol=1e-4)
    assert smaller.hidden.out_features == smaller.last_norm.num_features == 10


def test_depthwise_layers_go_along(pair):
    torch.manual_seed(2)
    network = with_statistics(nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 8, 3, groups=4), nn.BatchNorm2d(8),
        nn.ReLU(), nn.Conv2d(8, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 10)),
        pair[0])
    smaller, quiet = remove_channels(network, "0", [2]), copy.deepcopy(network)
    with torch.no_grad():
        quiet[5].weight[:, 4:6] = 0
    torch.testing.assert_close(logits(smaller, pair), logits(quiet, pair), rtol=1e-4, atol=1e-4)
    assert (smaller[2].groups, smaller[2].out_channels, smaller[5].in_channels) == (3, 6, 6)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 4, 3)
        self.out = nn.Linear(4, 10)

    def forward(self, images):
        return self.out(self.second(images + self.first(images)).mean((2, 3)))


def test_channels_that_meet_others_are_refused(pair):
    mixed = Mixed()
    for network, layer, place in [(mixed, "first", "grouped"), (mixed, "out", "output"),
                                  (small_convolution(), "13", "output")]:
        with pytest.raises(ValueError, match=f"reach '{place}', where .*Torch-Pruning"):
            remove_channels(network, layer, [0])
    with pytest.raises(ValueError, match="units that stay must be a whole number, 1 or more"):
        remove_channels(Residual(), "first", [0])
    assert remove_channels(Residual(), "second", [1]).out.in_features == 3
    two = Residual()
    two.first, two.second = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 4, 3)
    with pytest.raises(ValueError, match="reach 'add', where they cannot go alone"):
        remove_channels(two, "first", [0])
    with pytest.raises(ValueError, match="layer 'grouped' is grouped, or not called once"):
        remove_channels(mixed, "grouped", [0])


@pytest.mark.parametrize("layer, channels, message", [
    ("9", [0], "layer must be one of 0, 4, 8, 13; got '9'"),
    ("0", [8], "unit must be a whole number from 0 to 7; got 8"),
    ("0", [-1], "unit must be a whole number from 0 to 7; got -1"),
    ("0", range(8), "number of units that stay must be a whole number, 1 or more")])
def test_impossible_channels(layer, channels, message):
    with pytest.raises(ValueError, match=message):
        remove_channels(small_convolution(), layer, channels)


def test_the_small_network_learns_at_a_one_cycle_rate(digits, validation):
    pairs = [(part.inputs.view(-1, 1, 28, 28), part.labels) for part in (digits, validation)]
    torch.manual_seed(5)
    network = train_on(small_convolution(), pairs[0], epochs=1, batch_size=32, one_cycle=True,
                       learning_rate=0.01)
    assert evaluate(network, pairs[1]).accuracy > 0.7


def cells_of_the_notebook():
    """What the cells of notebook 10 define that hold the network and the loop."""
    space = {"torch": torch, "nn": nn, "copy": copy}
    for cell in code_cells(read(paths("10")[0])):
        tree = ast.parse(cell.source)
        tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)
                     and node.name in ("network", "fit")]
        exec(compile(tree, "notebook", "exec"), space)
    return space


@pytest.mark.parametrize("cut", [0.0, 0.8])
def test_the_notebook_shows_the_same_network_and_the_same_loop(pair, cut):
    shown = cells_of_the_notebook()
    torch.manual_seed(3)
    mine = shown["network"]()
    assert str(mine) == str(small_convolution())
    mine = prune(mine, cut)
    wanted = fine_tune(mine, pair, epochs=2, batch_size=32, learning_rate=0.01, one_cycle=True,
                       seed=4)
    torch.manual_seed(4)
    held = [(layer.weight, layer.weight != 0) for _, layer in weight_layers(mine.double())]
    shown["fit"](mine, (pair[0].double(), pair[1]), 2, 0.01, held)
    for name, value in mine.state_dict().items():
        torch.testing.assert_close(value.to(wanted.state_dict()[name].dtype),
                                   wanted.state_dict()[name], rtol=1e-4, atol=1e-5)
    assert not mine.training and sparsity(mine) == pytest.approx(cut, abs=1e-4)
