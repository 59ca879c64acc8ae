"""The networks of the draw pads and the digits to pick from, as short as a page can hold them.

Float weights are rounded to float16, whose low and high bytes deflate better apart; a pruned
network is the float one under a mask of bits. The integers have tables of their own: made from
float16, some hundred would differ.
"""

import base64
import zlib

import numpy as np

from mnist_compress import pretrained
from mnist_compress.pruning import prune
from mnist_compress.trace import run_pipeline

EACH = 20  # the pad offers each twentieth of the validation digits, as in the notebooks


def networks():
    """What site/networks.js reads: {"float", "masks", "integers", "digits", "labels"}."""
    pipeline = run_pipeline()
    digits = pipeline.validation[::EACH]
    pruned = {"pruned": pipeline.pruned, "98 % zeros": prune(pipeline.model, 0.98)}
    integers = {"int8": pipeline.quantized, "notebook 07": pretrained.load("perceptron")}
    return {
        "float": [{"weight": _halves(layer.weight), "bias": _array(layer.bias).tolist()}
                  for layer in pipeline.model.layers],
        "masks": {name: [_packed(np.packbits(_array(layer.weight) != 0, bitorder="little"))
                         for layer in network.layers] for name, network in pruned.items()},
        "integers": {name: _integers(network) for name, network in integers.items()},
        "digits": _packed(digits.images), "labels": digits.labels.tolist()}


def _integers(network):
    """An `IntegerNetwork`: its layers, what 1 means in its hidden values, and in its logits."""
    layers = [{"weight": _packed(layer.weight), "bias": layer.bias.tolist(),
               "rescale": layer.shift is not None and [[int(layer.multiplier), int(layer.shift)]]}
              for layer in network.layers]
    return {"layers": layers, "scales": [network.activation_scales[1], network.logit_scale]}


def _array(part):
    return part.detach().numpy() if hasattr(part, "detach") else part


def _halves(part):
    """float32 -> float16: all low bytes, then all high bytes."""
    return _packed(_array(part).astype("<f2").reshape(-1, 1).view(np.uint8).T)


def _packed(part):
    """Bytes of an array, deflated, in base64."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(np.ascontiguousarray(_array(part)).tobytes()) + packer.flush()
    return base64.b64encode(data).decode()
