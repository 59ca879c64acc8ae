"""Likely wrong answers and what must be said of them; other right ones."""

import re

import pytest
import torch

from .helpers import RIGHT, told, written

TUNE = """optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for inputs, labels in batches:
    optimizer.zero_grad()
    F.cross_entropy(model(inputs), labels).backward()
    optimizer.step()
"""
COUNT = """count = round(sparsity * weight.numel())
mask = torch.ones_like(weight, dtype=torch.bool)
"""
# what a learner writes: what must be said of it
WRONG = [
    ("my_normalize", "pixels / 100", "You divided by 100."),
    ("my_normalize", "pixels / 256", "You divided by 256."),
    ("my_normalize", "pixels.numpy() / 255", "You returned a NumPy array."),
    ("my_normalize", "pixels // 255", "Your result holds whole numbers"),
    ("my_normalize", "pixels / pixels.max()", "You divided by the largest pixel of this image."),
    ("my_accuracy", "(logits.argmax(0) == labels).float().mean()", "The shapes do not fit"),
    ("my_accuracy", "(logits == labels).float().mean()", "The shapes do not fit"),
    ("my_accuracy", "(logits.argmax(1) == labels).mean()", "True and False have no mean"),
    ("my_accuracy", "(logits.max(1) == labels).float().mean()", "logits.max(1) gives two tensors"),
    ("my_accuracy", "(logits.max(1).values == labels).float().mean()", "You compared the largest"),
    ("my_accuracy", "logits.argmax(1) == labels", "You returned one hit or miss for each digit."),
    ("my_accuracy", "(logits.argmax(1) == labels).float()", "You returned one hit or miss"),
    ("my_accuracy", "((logits > 0.5).float().argmax(1) == labels).float().mean()",
     "You asked which logits are above 0.5."),
    ("my_accuracy", "100 * (logits.argmax(1) == labels).float().mean()", "That is a percentage."),
    ("my_accuracy", "(logits.argmax(1) != labels).float().mean()", "That is the error"),
    ("my_mask", COUNT.replace("round", "int") + "mask.view(-1)[weight.abs().flatten().argsort()"
     "[:count]] = False\nreturn mask", "You cut the fraction off."),
    ("my_mask", "weight.abs() > weight.abs().quantile(sparsity)", "A quantile lies between"),
    ("my_mask", COUNT + "limit = weight.abs().flatten().kthvalue(max(count, 1)).values\n"
     "return weight.abs() > limit", "Equal magnitudes: your threshold takes all of them"),
    ("my_mask", COUNT + "mask = mask.flatten()\nmask[weight.abs().flatten().argsort()[:count]] = "
     "False\nreturn mask", "Your mask is flat."),
    ("my_mask", COUNT + "mask[weight.abs().argsort()[:count]] = False\nreturn mask",
     "argsort of a matrix ranks each row"),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().argsort()[:count]] = False\nreturn mask",
     "argsort of a matrix ranks each row"),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().argsort().flatten()[:count]] = False\n"
     "return mask", "argsort of a matrix ranks each row"),
    ("my_mask", "weight.abs() > sparsity * weight.abs().max()", "You cut below a share of the"),
    ("my_mask", COUNT + "mask.view(-1)[torch.randperm(weight.numel())[:count]] = False\n"
     "return mask", "The count is right, but these are not the smallest"),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().flatten().argsort()[count:]] = False\n"
     "return mask", "Your mask is inverted"),
    ("my_mask", "count = round((1 - sparsity) * weight.numel())\n" + COUNT.split("\n")[1] +
     "\nmask.view(-1)[weight.abs().flatten().argsort()[:count]] = False\nreturn mask",
     "You kept that share."),
    ("my_mask", "torch.stack([my_mask(line[None], sparsity)[0] for line in weight.T]).T if "
     "len(weight) > 1 else weight.abs() >= weight.abs().flatten().sort().values[round(sparsity * "
     "weight.numel())]", "You cut the same share of every column."),
    ("my_quantize", "((values * scale).round() + zero_point).clamp(-128, 127).to(torch.int8)",
     "The scale is upside down"),
    ("my_quantize", "values * scale", "The scale is upside down, and that is"),
    ("my_quantize", "values / scale", "That is only the first step."),
    ("my_quantize", "(values / scale).round() + zero_point", "Two things. Right numbers, but they"),
    ("my_quantize", "(values * scale).round().clamp(-128, 127).to(torch.int8)",
     "Two things. The scale is upside down"),
    ("my_quantize", "((values / scale).round().clamp(-128, 127) + zero_point).to(torch.int8)",
     "You clamped before you added the zero point"),
    ("my_quantize", "((values / scale).round() + zero_point).clamp(-127, 127).to(torch.int8)",
     "You clamped to -127..127"),
    ("my_quantize", "((values / scale).round() + zero_point).to(torch.int8).clamp(-128, 127)",
     "You did not clamp, or only after"),
    ("my_quantize", "((values / scale).round() - zero_point).clamp(-128, 127).to(torch.int8)",
     "You took the zero point away."),
    ("my_quantize", "((values / scale).round() + zero_point).clamp(0, 255).to(torch.uint8)",
     "That is uint8, 0..255."),
    ("my_quantize", "((values / scale).ceil() + zero_point).clamp(-128, 127).to(torch.int8)",
     "You rounded up."),
    ("my_quantize", "((values / (values.abs().max() / 127)).round() + zero_point)"
     ".clamp(-128, 127).to(torch.int8)", "You computed a scale of your own."),
    ("my_quantize", "(((values / scale).round() + zero_point).clamp(-128, 127) - zero_point) * "
     "scale", "You went back to floats at the end."),
    ("my_quantize", "((values / scale + 0.5).floor() + zero_point).clamp(-128, 127).to(torch.int8)",
     "You rounded halves up."),
    ("my_rescale", "min((max(total, 0) * multiplier + 2 ^ (shift - 1)) >> shift, 255)",
     "2 ^ n is no power in Python"),
    ("my_rescale", "min((max(total, 0) * multiplier + 2**shift - 1) >> shift, 255)",
     "You added 2**shift - 1, which rounds up."),
    ("my_rescale", "min((max(total, 0) * multiplier + 2**shift) >> shift, 255)",
     "You added all of 2**shift."),
    ("my_rescale", "min((max(total, 0) * multiplier) >> shift, 255)", "You rounded down."),
    ("my_rescale", "(max(total, 0) * multiplier) >> shift", "Two things. You rounded down."),
    ("my_shared", "code[(weights.abs() - code).abs().argmin(-1)] * weights.sign()",
     "Each weight meets each magnitude only if"),
    ("my_shared", "(weights.abs()[..., None] - code).abs().argmin(-1) * weights.sign()",
     "You multiplied the positions by the signs."),
    ("my_shared", "(weights.abs()[..., None] - code).abs().argmin(-1)", "You returned positions"),
    ("my_sums", "weight @ pixels", "Pixels and weights are of two types."),
    ("my_sums", "weight.int() @ pixels.to(torch.int8).int()", "A pixel goes up to 255 and int8"),
    ("my_sums", "weight.float() @ pixels.float()", "Right numbers here, but they are floats."),
    ("my_step", "logits = model(inputs)\nloss = F.cross_entropy(logits, labels)\n"
     "loss.backward()\noptimizer.zero_grad()\noptimizer.step()", "The weights did not move."),
    ("my_step", "logits = model(inputs)\nloss = F.cross_entropy(logits, labels)\n"
     "loss.backward()\noptimizer.step()", "Each step also follows the gradients"),
    ("my_step", "optimizer.zero_grad()\nloss.backward()\nlogits = model(inputs)\n"
     "loss = F.cross_entropy(logits, labels)\noptimizer.step()", "Each line uses what the line"),
    ("my_step", "optimizer.zero_grad()\nloss = (model(inputs).argmax(1) != labels).float().mean()\n"
     "loss.backward()\noptimizer.step()", "A step needs gradients from the labels"),
    ("my_hold", "for weight, mask in zip(weights, masks):\n    weight = weight * mask",
     "The weights are as they were"),
    ("my_hold", "for place, mask in enumerate(masks):\n    weights[place] = weights[place] * mask",
     "The weights are as they were"),
    ("my_hold", "for weight, mask in zip(weights, masks):\n    weight *= mask",
     "These weights are being trained, so PyTorch refuses."),
    ("my_fine_tune", f"mask = model.weight != 0\n{TUNE}model.weight.data *= mask\nreturn model",
     "The zeros are back, but only at the end"),
    ("my_fine_tune", f"{TUNE}    model.weight.data *= model.weight != 0\nreturn model",
     "This is the code that was handed out."),
    ("my_frozen", f"mask = model.weight != 0\n{TUNE}    model.weight.data *= mask\nreturn model",
     "A new Adam has forgotten"),
    ("my_frozen", TUNE.partition("\n")[2] + "return model", "Now nothing holds the zeros"),
    ("my_frozen", "mask = model.weight != 0\nfor inputs, labels in batches:\n"
     "    model.weight.grad *= mask\n    optimizer.step()\nreturn model",
     "A gradient belongs to a parameter only after"),
    ("my_smaller", "weight1[keep], bias1[keep], weight2[keep]", "A unit of the first layer is a"),
    ("my_smaller", "weight1[keep], bias1, weight2[:, keep]", "The bias of a unit goes with it"),
    ("my_int8", "(values / (seen.abs().max() / 127)).round().to(torch.int8).clamp(-127, 127)",
     "You do not clamp, or only after the cast"),
    ("my_int8", "(values / (seen.abs().max() / 127)).round().to(torch.int8)",
     "You do not clamp, or only after the cast"),
    ("my_int8", "(values / (seen.max() / 127)).round().clamp(-127, 127).to(torch.int8)",
     "The largest weight may be negative"),
    ("my_int8", "(values / (values.abs().max() / 127)).round().clamp(-127, 127).to(torch.int8)",
     "The scale comes from what was seen"),
    ("my_qparams", "scale = ((values.max() - values.min()) / 255).item()\n"
     "return scale, -128 - round(values.min().item() / scale)", "0.0 must have an integer"),
    ("my_rounded", "(weight / scale).round() * scale", "Rounding has the gradient 0"),
    ("my_rounded", "((weight / scale).round() * scale).detach()", "Nothing of the weight is left"),
    ("my_rounded", "(weight / scale).round()", "You returned the number of steps, and"),
    ("my_speedup", "start = clock()\nfloats(digits)\nmiddle = clock()\nintegers(digits)\n"
     "return (middle - start) / (clock() - middle)", "Both work on the same digits now, but"),
]


@pytest.mark.parametrize(("name", "text", "message"), WRONG,
                         ids=[f"{name}-{text[:40]}" for name, text, _ in WRONG])
def test_likely_mistakes_are_named(name, text, message):
    said = written(name, text)
    assert re.match(r"(Not yet|Your code stopped[^\n]* with \w+)[.] ", said), said
    assert f". {message}" in said, said


def test_numbers_are_as_short_as_they_were_typed():
    said = told("my_quantize", lambda values, scale, zero_point: values.to(torch.int8))
    assert said.startswith("Not yet. For [0.1234, -0.5, 0.017, 0.0, 3.0, -3.0], 0.01, 0 it should")
    assert not re.search(r"\d\.\d{9}", told("my_normalize", lambda pixels: pixels / 254))


def test_two_mistakes_at_once_are_both_named():
    said = told("my_rescale", lambda total, multiplier, shift: total * multiplier // 2**shift)
    assert said.startswith("Not yet. Two things. You rounded down.")
    assert "Negative sums must" in said


RIGHT_TOO = [
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().flatten().topk(count, largest=False).indices] "
     "= False\nreturn mask"),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().flatten().flip(0).argsort(stable=True)[:count]"
     ".neg() + weight.numel() - 1] = False\nreturn mask"),  # the last of equals goes first
    ("my_normalize", "pixels.double() / 255"),
    ("my_step", "loss = F.cross_entropy(model(inputs), labels)\noptimizer.zero_grad()\n"
     "loss.backward()\noptimizer.step()\nreturn loss"),
    ("my_hold", "for weight, mask in zip(weights, masks):\n    weight.data = weight * mask"),
    ("my_hold", "with torch.no_grad():\n    for weight, mask in zip(weights, masks):\n"
     "        weight[~mask] = 0"),
    ("my_fine_tune", f"mask = model.weight != 0\n{TUNE}    model.weight.data *= mask"),
    ("my_rounded", "rounded = (weight / scale).round() * scale\n"
     "return rounded.detach() + weight - weight.detach()"),
    ("my_qparams", "least, most = min(values.min().item(), 0), max(values.max().item(), 0)\n"
     "return (most - least) / 255, -128 - round(least / ((most - least) / 255))"),
    ("my_speedup", "times = [[], []]\nfor _ in range(9):\n"
     "    for network, mine in zip((floats, integers), times):\n        start = clock()\n"
     "        network(digits)\n        mine.append(clock() - start)\n"
     "return sorted(times[0])[4] / sorted(times[1])[4]"),
]


@pytest.mark.parametrize(("name", "text"), RIGHT_TOO)
def test_other_ways_are_right_too(name, text):
    assert written(name, text) == RIGHT
