"""Networks of convolutions: a small one, its batch norm folded away, its channels removed.

`fold_batch_norm` and `remove_channels` take any network whose forward pass torch.fx can follow, and
return a new one.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils import fuse_conv_bn_weights

from .arguments import one_of
from .model import weight_layers
from .pruning import all_but

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
# what treats each channel alone: modules, functions and methods, without capitals and underscores
_ALONE = {"relu", "relu6", "leakyrelu", "elu", "gelu", "silu", "hardswish", "hardsigmoid",
          "sigmoid", "tanh", "dropout", "dropout2d", "identity", "maxpool2d", "avgpool2d",
          "adaptiveavgpool2d", "adaptivemaxpool2d", "upsample", "booleandispatch", "contiguous"}


def small_convolution(channels: Sequence[int] = (8, 16, 32)) -> nn.Sequential:
    """Three 3 x 3 convolutions, each with batch norm, ReLU and pooling, and one linear layer.

    Reads inputs (n, 1, 28, 28) float32 and returns logits (n, 10). Layer "8" is the third.
    """
    layers: list[nn.Module] = []
    for before, after in zip((1, *channels), channels, strict=False):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after),
                   nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(9 * channels[-1], 10))


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """A copy in which batch norm right after a Conv2d or Linear layer is part of its numbers.

    In eval mode y = (x - mean) / sqrt(var + eps) * weight + bias is linear, so the layer can do it
    (Jacob et al. 2018, arXiv 1712.05877); an nn.Identity stays behind. Outputs in eval mode are
    the same but for float rounding. Batch norm elsewhere, or without running statistics, stays.
    ValueError for a forward pass that cannot be followed.
    """
    weight_layers(model)  # refuses weights that are computed
    folded = copy.deepcopy(model)
    nodes = _followed(model)
    for node in nodes:
        norm = _module(folded, node)
        layer = _module(folded, node.args[0]) if isinstance(norm, _NORMS) else None
        alone = layer is not None and len(node.args[0].users) == 1 and all(
            _calls(folded, nodes, part) == 1 for part in (node, node.args[0]))
        if alone and isinstance(layer, (nn.Linear, nn.Conv2d)) and norm.running_mean is not None:
            _fold(layer, norm)
            parent, _, name = str(node.target).rpartition(".")
            setattr(folded.get_submodule(parent), name, nn.Identity().train(norm.training))
    return folded


def _fold(layer: Any, norm: Any) -> None:
    """Make the norm part of the layer's numbers, in float64, rounded once."""
    def double(part: Any) -> Any:
        return None if part is None else part.detach().double()

    fused = fuse_conv_bn_weights(
        double(layer.weight), double(layer.bias), double(norm.running_mean),
        double(norm.running_var), norm.eps, double(norm.weight), double(norm.bias))
    kind, grows = layer.weight.dtype, layer.weight.requires_grad
    layer.weight, layer.bias = (nn.Parameter(part.detach().to(kind), grows) for part in fused)


def remove_channels(model: nn.Module, layer: str, channels: Iterable[int] | Tensor) -> nn.Module:
    """A truly smaller copy without these output channels, or units, of one layer.

    layer: a name of `weight_layers`; channels: positions. Batch norm and depthwise convolutions
    after it lose the same channels, and the next layers those inputs: outputs are as if they had
    the weight 0 there (Li et al. 2017, arXiv 1608.08710). ValueError where channels meet others,
    as in an addition; and for positions that do not exist, or if none would stay.
    """
    smaller, known = copy.deepcopy(model), dict(weight_layers(model))
    one_of("layer", layer, known)
    nodes = _followed(model)
    start = next((node for node in nodes if node.target == layer), None)
    first: Any = smaller.get_submodule(layer)
    if start is None or _calls(smaller, nodes, start) > 1 or getattr(first, "groups", 1) > 1:
        raise ValueError(f"layer {layer!r} is grouped, or not called once: take another one")
    keep = all_but(len(first.weight), channels)
    _keep(first, keep)
    waiting = [(user, keep) for user in start.users]
    while waiting:
        node, keep = waiting.pop()
        onward = _follow(smaller, node, keep) if _calls(smaller, nodes, node) == 1 else None
        if onward is None:
            raise ValueError(
                f"channels of layer {layer!r} reach {node.name!r}, where they cannot go alone. "
                "Take another layer, set them to zero instead, or use a library that follows "
                "all dependencies, such as Torch-Pruning")
        waiting += [(user, each) for each in onward for user in node.users]
    return smaller


def _follow(model: nn.Module, node: Any, keep: Tensor) -> list[Tensor] | None:
    """Adapt what reads the channels: what it hands on, [] if they end here, None if they cannot."""
    module = _module(model, node)
    if isinstance(module, _NORMS) and module.num_features == len(keep):
        _keep(module, keep)
        return [keep]
    if isinstance(module, nn.Conv2d) and module.groups == module.in_channels == len(keep):
        module.in_channels = module.groups = int(keep.sum())
        keep = keep.repeat_interleave(module.out_channels // len(keep))
        _keep(module, keep)
        return [keep]
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        width = module.weight.shape[1]
        if width % len(keep) or (isinstance(module, nn.Conv2d) and width != len(keep)):
            return None
        # after flattening, one channel is several inputs in a row
        _keep(module, keep.repeat_interleave(width // len(keep)), 1)
        return []
    called = node.target if module is None else type(module)
    name = getattr(called, "__name__", called)
    if name in ("size", "getattr"):  # they read the shape, which is right by itself
        return []
    return [keep] if _alone(name.lower().replace("_", ""), module, node) else None


def _alone(name: str, module: Any, node: Any) -> bool:
    """Whether a module, a function or a method leaves each channel alone, side by side."""
    if name == "flatten":
        first = node.args[1] if len(node.args) > 1 else node.kwargs.get("start_dim", 0)
        return getattr(module, "start_dim", first) == 1
    if name in ("view", "reshape"):
        return len(node.args) == 3 and [each for each in node.args[1:] if type(each) is int] == [-1]
    if name == "mean":
        axes = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        return set(axes or [1]) <= {2, 3, -1, -2}
    return name in _ALONE


def _keep(module: Any, keep: Tensor, axis: int = 0) -> None:
    """Shorten what a module learned along an axis: 0 of what goes out, 1 of what comes in."""
    for name in ("weight", "bias", "running_mean", "running_var"):
        old = getattr(module, name, None)
        if old is not None and old.ndim > axis:
            new = old.detach().index_select(axis, keep.nonzero().flatten().to(old.device))
            learned = isinstance(old, nn.Parameter)
            setattr(module, name, nn.Parameter(new, old.requires_grad) if learned else new)
    sizes = (("out_channels", "out_features", "num_features"), ("in_channels", "in_features"))
    for name in sizes[axis]:
        if hasattr(module, name):
            setattr(module, name, int(keep.sum()))


def _followed(model: nn.Module) -> list[Any]:
    """The forward pass, step by step, as torch.fx sees it in eval mode."""
    try:
        with torch.random.fork_rng(devices=[]):
            return list(fx.Tracer().trace(copy.deepcopy(model).eval()).nodes)
    except Exception as error:  # whatever a forward pass does with what is no tensor
        raise ValueError(
            f"cannot follow the forward pass of {type(model).__name__}: {error}. It must not "
            "branch on its inputs; take the part that does not, or change the layers by hand, as "
            "in torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm)") from error


def _calls(model: nn.Module, nodes: list[Any], node: Any) -> int:
    """How often a module is called; once for what learned nothing, and so may be called again."""
    same = [other for other in nodes if other.op == "call_module" and other.target == node.target]
    module = _module(model, node)
    return len(same) if module is not None and module.state_dict() else 1


def _module(model: nn.Module, node: Any) -> Any:
    """The module that a node calls, if it does."""
    called = isinstance(node, fx.Node) and node.op == "call_module"
    return model.get_submodule(str(node.target)) if called else None
