"""Likely wrong answers and what must be said of them."""

import re

import pytest
import torch

from .helpers import COUNT, TUNE, told, written

RANGE = """least, most = min(values.min().item(), 0), max(values.max().item(), 0)
scale = (most - least) / 255
return scale, """
CHOSEN = """fit = [each for each in networks if each[1] >= dense - 1]
return """
TIMED = """medians = []
for network in (floats, integers):
    network(digits)
    times = []
    for _ in range(9):
        start = clock()
        network(digits)
        times.append(clock() - start)
    medians.append(PICKED)
return medians[0] / medians[1]"""
HELD = TUNE.replace("    opt", "    model.weight.data *= mask\n    opt", 2).replace(
    "    model.weight.data *= mask\n", "", 1)  # before each step
FIT = "min(size for size, validation, test in networks if "
# what a learner writes: what must be said of it
WRONG = [
    ("my_normalize", "pixels / 100", "You divided by 100."),
    ("my_normalize", "pixels / 256", "You divided by 256."),
    ("my_normalize", "pixels.numpy() / 255", "You returned a NumPy array."),
    ("my_normalize", "pixels // 255", "Your result holds whole numbers"),
    ("my_normalize", "pixels / pixels.max()", "You divided by the largest pixel of this image."),
    ("my_normalize", "pixels / 1000", "You divided by 1,000."),
    ("my_normalize", "pixels / 784", "You divided by 784."),
    ("my_normalize", "(pixels - pixels.min()) / (pixels.max() - pixels.min())",
     "You stretched from the lightest"),
    ("my_normalize", "pixels / 255 - 0.5", "You mapped to -0.5..0.5."),
    ("my_flatten", "images.reshape(784, len(images)).T", "This is the code that was handed out."),
    ("my_flatten", "images.transpose(1, 2).reshape(len(images), 784)", "You put the columns one"),
    ("my_flatten", "images.reshape(len(images), 784).T", "Your result is 784 x n"),
    ("my_flatten", "images.flatten()", "You made one list of all pictures."),
    ("my_flatten", "images[0].flatten()", "You flattened the first picture only."),
    ("my_flatten", "images.float().flatten(1)", "You divided the pixels, or made floats"),
    ("my_flatten", "images.flatten(1) / 255", "You divided the pixels, or made floats"),
    ("my_flatten", "images.numpy().reshape(-1, 784)", "You returned a NumPy array."),
    ("my_flatten", "images", "The pictures are as they came"),
    ("my_flatten", "images.permute(1, 2, 0).reshape(len(images), 784)", "The shape is right, but"),
    ("my_flatten", "images.flatten(1).flip(1)", "Two cases:"),
    ("my_flatten", "images.reshape(784)", "The sizes in reshape must multiply"),
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
    ("my_accuracy", "((logits.sigmoid() > 0.5).float().argmax(1) == labels).float().mean()", "For"),
    ("my_accuracy", "(logits.round().argmax(1) == labels).float().mean()", "For"),
    ("my_accuracy", "(logits.argmax(1) == labels).sum() // len(labels)", "// keeps whole numbers"),
    ("my_accuracy", "0 * logits.sum()", "Your function always says 0."),
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
    ("my_mask", COUNT + "mask.view(-1)[:count] = False\nreturn mask",
     "The count is right, but these are not the smallest"),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().flatten().topk(count).indices] = False\n"
     "return mask", "You cut the largest weights."),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().flatten().argsort()[count:]] = False\n"
     "return mask", "Your mask is inverted"),
    ("my_mask", COUNT + "mask.view(-1)[weight.abs().flatten().argsort()[:-count]] = False\n"
     "return mask", "[:-count] takes all but the last"),
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
    ("my_quantize", "((values / scale).round() + zero_point).clamp(max=127).to(torch.int8)",
     "You clamped at the top only."),
    ("my_quantize", "((values / scale).round() + zero_point).clamp(min=-128).to(torch.int8)",
     "You clamped at the bottom only."),
    ("my_quantize", "(values / scale + zero_point).round().clamp(-128, 127).to(torch.int8)",
     "You added the zero point before rounding."),
    ("my_quantize", "(values / scale + zero_point).clamp(-128, 127).to(torch.int8)",
     "You did not round, and"),
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
    ("my_rescale", "round(max(total, 0) * multiplier / 2**shift)", "This is the code that was"),
    ("my_rescale", "min(round(max(total, 0) * multiplier / 2**shift), 255)",
     "Python's round goes to even"),
    ("my_choice", FIT + "test >= dense - 1)", "Test digits choose here."),
    ("my_choice", FIT + "validation >= 0.99 * dense)", "0.99 * dense is one per cent of"),
    ("my_choice", FIT + "test >= 0.99 * dense)", "This is the code that was handed out."),
    ("my_choice", FIT + "abs(validation - dense) <= 1)", "One case:"),
    ("my_choice", CHOSEN + "min(fit, key=lambda each: each[1])[0]", "One case:"),
    ("my_choice", FIT + "(validation + test) / 2 >= dense - 1)", "Two cases:"),
    ("my_choice", FIT + "validation >= dense - 1 and test >= dense - 1)", "Two cases:"),
    ("my_choice", FIT + "validation > dense - 1)", "A network that loses exactly one point"),
    ("my_choice", FIT + "validation >= dense)", "You allow no loss at all."),
    ("my_choice", FIT + "validation >= dense - 0.01)", "Accuracies are in per cent here"),
    ("my_choice", "max(networks, key=lambda each: (each[1] >= dense - 1, each[1]))[0]",
     "That is the most accurate of those that fit."),
    ("my_choice", "networks", "You returned all networks."),
    ("my_shared", "code[(weights.abs() - code).abs().argmin(-1)] * weights.sign()",
     "Each weight meets each magnitude only if"),
    ("my_shared", "(weights.abs()[..., None] - code).abs().argmin(-1) * weights.sign()",
     "You multiplied the positions by the signs."),
    ("my_shared", "(weights.abs()[..., None] - code).abs().argmin(-1)", "You returned positions"),
    ("my_sums", "weight @ pixels", "Pixels and weights are of two types."),
    ("my_sums", "weight.int() @ pixels.to(torch.int8).int()", "A pixel goes up to 255 and int8"),
    ("my_sums", "weight.float() @ pixels.float()", "Those are floats."),
    ("my_sums", "(weight.float() @ pixels.float()).int()", "You added in floats and made integers"),
    ("my_sums", "(weight.float() * pixels.float()).sum(1).int()", "For 783 pixels of 255 and one"),
    ("my_step", "optimizer.zero_grad()\nF.cross_entropy(model(inputs), labels).backward()\n"
     "optimizer.step()\noptimizer.step()", "You made two steps with the gradients of one"),
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
    ("my_fine_tune", f"mask = model.weight != 0\n{HELD}return model",
     "You multiplied by the mask before the step"),
    ("my_fine_tune", f"mask = model.weight == 0\n{TUNE}    model.weight.data *= mask\n",
     "Your mask is inverted"),
    ("my_fine_tune", "mask = model.weight != 0\n" + TUNE.replace(
        "    optimizer.zero", f"    {TUNE.splitlines()[0]}\n    optimizer.zero") +
     "    model.weight.data *= mask", "A new Adam in each step"),
    ("my_frozen", "mask = model.weight != 0\n" + HELD.partition("\n")[2] + "return model",
     "You multiplied by the mask before the step"),
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
    ("my_int8", "(values / (seen.abs().max() / 128)).round().clamp(-127, 127).to(torch.int8)",
     "You divided by 128."),
    ("my_int8", "(values / (seen.abs().max() / 127)).clamp(-127, 127).to(torch.int8)",
     "You did not round, and"),
    ("my_int8", "(values / (seen.abs().max() / 127)).round().clamp(-127, 127)",
     "Right numbers, but they are still floats"),
    ("my_qparams", RANGE + "-128 - least / scale", "The zero point must be an int"),
    ("my_qparams", RANGE + "-128.0 - round(least / scale)", "The zero point must be an int"),
    ("my_qparams", RANGE + "-128 - int(least / scale)", "int() cuts the fraction off."),
    ("my_qparams", "scale = ((values.max() - values.min()) / 255).item()\n"
     "return scale, -128 - round(values.min().item() / scale)", "0.0 must have an integer"),
    ("my_rounded", "(weight / scale).round() * scale", "Rounding has the gradient 0"),
    ("my_rounded", "weight.data = (weight / scale).round() * scale\nreturn weight",
     "You rounded the weight itself"),
    ("my_rounded", "((weight / scale).round() * scale).detach()", "Nothing of the weight is left"),
    ("my_rounded", "(weight / scale).round()", "You returned the number of steps, and"),
    ("my_bytes", "share = counts / counts.sum()\nreturn -(counts * share.log2()).sum() / 8",
     "A value that never comes makes 0 x infinity"),
    ("my_bytes", "share = counts[counts > 0] / counts.sum()\nreturn -share.log2().sum() / 8",
     "Each value's bits count once now."),
    ("my_bytes", "counts = counts[counts > 0]\n"
     "return -(counts * (counts / counts.sum()).log2()).sum()", "Those are bits"),
    ("my_bytes", "counts = counts[counts > 0]\n"
     "return -(counts * (counts / counts.sum()).log()).sum() / 8", "You took the natural"),
    ("my_speedup", "start = clock()\nfloats(digits)\nmiddle = clock()\nintegers(digits)\n"
     "return (middle - start) / (clock() - middle)", "Both work on the same digits now, but"),
    *(("my_speedup", TIMED.replace("PICKED", f"times[{place}]"), "") for place in range(9)),
    *(("my_speedup", TIMED.replace("PICKED", f"times[{place}]").replace(
        "    network(digits)\n", "    network(digits)\n" * 2, 1), "") for place in (0, 4, 8)),
    ("my_speedup", TIMED.replace("PICKED", "max(times)"), "Two cases:"),
    ("my_bounds", "low = bias + 255 * weight.int().clamp(max=0).sum()\n"
     "return low, bias + 255 * weight.int().clamp(min=0).sum()", "Your bounds are tensors."),
    ("my_bounds", "reach = bias + 255 * int(weight.sum())\nreturn reach, reach",
     "That is the sum for white ink everywhere."),
    ("my_bounds", "reach = 255 * int(weight.to(torch.int32).abs().sum())\n"
     "return bias - reach, bias + reach", "A pixel is never below 0"),
    ("my_bounds", "high = 255 * len(weight) * int(weight.max())\n"
     "return bias + 255 * len(weight) * int(weight.min()), bias + high", "That is a bound too"),
    ("my_bounds", "int(weight.clamp(max=0).sum()), int(weight.clamp(min=0).sum())",
     "Two things. The bias is part of every sum: add it to both bounds. A pixel is a byte"),
    ("my_loop", "microcontroller.run_c('int sum = 0; return sums;', weights, pixels)",
     "The compiler refused it"),
    ("my_loop", "microcontroller.run_c('int8_t sum = 0; for (int i = 0; i < count; i++) "
     "sum = (int8_t)(sum + weights[i] * pixels[i]); return sum;', weights, pixels)",
     "Eight bits hold -128 to 127"),
    ("my_folded", "weight * (gamma / (var + 1e-5).sqrt())[:, None, None, None], beta - mean",
     "The weights are right now."),
    ("my_folded", "scale = gamma / (var + 1e-5).sqrt()\n"
     "return weight * scale[:, None, None, None], (beta - mean) * scale", "You scaled beta too."),
    ("my_folded", "weight * (gamma / (var + 1e-5).sqrt()), beta - mean * gamma / (var + 1e-5)"
     ".sqrt()", "The bias is right now."),
    ("my_folded", "weight * (gamma / (var + 1e-5))[:, None, None, None], beta - mean * gamma / "
     "(var + 1e-5)", "You divided by the variance."),
    ("my_folded", "weight * (gamma / var.sqrt())[:, None, None, None], beta - mean * gamma / "
     "var.sqrt()", "The 1e-5 beside the variance"),
    ("my_folded", "weight * (gamma / (var + 1e-5).sqrt())[:, None, None], beta - mean * gamma "
     "/ (var + 1e-5).sqrt()", "The second axis of the weight is its input channels."),
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
