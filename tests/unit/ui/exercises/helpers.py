"""What the tests of exercises share: solutions, and what is said of a function."""

import ast

import torch

from mnist_compress import training
from mnist_compress.ui import exercises, microcontroller
from mnist_compress.ui.exercises import _load

# What the notebooks have imported where an exercise stands.
SPACE = {"torch": torch, "F": torch.nn.functional, "microcontroller": microcontroller,
         "training": training}
RIGHT = "Right. Your function does what the package does, on every test case."
GIVEN = "This is the code that was handed out."

# As the notebooks show them, one for each exercise.
SOLUTIONS = """
def my_normalize(pixels):
    return pixels / 255

def my_flatten(images):
    return images.reshape(len(images), 784)

def my_accuracy(logits, labels):
    return (logits.argmax(1) == labels).float().mean()

def my_step(model, optimizer, inputs, labels):
    optimizer.zero_grad()
    logits = model(inputs)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()

def my_mask(weight, sparsity):
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    order = weight.abs().flatten().argsort(stable=True)
    mask[order[: round(sparsity * weight.numel())]] = False
    return mask.view(weight.shape)

def my_hold(weights, masks):
    with torch.no_grad():
        for weight, mask in zip(weights, masks):
            weight *= mask

def my_fine_tune(model, batches):
    mask = model.weight != 0
    optimizer = training.Adam(model.parameters(), lr=0.1)
    for inputs, labels in batches:
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.weight *= mask
    return model

def my_frozen(model, optimizer, batches):
    mask = model.weight != 0
    for inputs, labels in batches:
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.weight *= mask
    return model

def my_smaller(weight1, bias1, weight2, keep):
    return weight1[keep], bias1[keep], weight2[:, keep]

def my_quantize(values, scale, zero_point):
    return ((values / scale).round() + zero_point).clamp(-128, 127).to(torch.int8)

def my_int8(values, seen):
    scale = seen.abs().max() / 127
    return (values / scale).round().clamp(-127, 127).to(torch.int8)

def my_qparams(values):
    least = min(values.min().item(), 0)
    most = max(values.max().item(), 0)
    scale = (most - least) / 255
    return scale, -128 - round(least / scale)

def my_rounded(weight, scale):
    rounded = (weight / scale).round() * scale
    return weight + (rounded - weight).detach()

def my_rescale(total, multiplier, shift):
    return min((max(total, 0) * multiplier + 2 ** (shift - 1)) >> shift, 255)

def my_choice(networks, dense):
    fit = [size for size, validation, test in networks if validation >= dense - 1]
    return min(fit)

def my_bytes(counts):
    counts = counts[counts != 0]
    share = counts / counts.sum()
    return -(counts * share.log2()).sum() / 8

def my_shared(weights, code):
    nearest = (weights.abs()[..., None] - code).abs().argmin(-1)
    return code[nearest] * weights.sign()

def my_sums(pixels, weight):
    return weight.to(torch.int32) @ pixels.to(torch.int32)

def my_speedup(floats, integers, digits, clock):
    medians = []
    for network in (floats, integers):
        times = []
        network(digits)
        for _ in range(9):
            start = clock()
            network(digits)
            times.append(clock() - start)
        medians.append(sorted(times)[4])
    return medians[0] / medians[1]

def my_bounds(weight, bias):
    low = bias + 255 * weight.clamp(max=0).sum()
    high = bias + 255 * weight.clamp(min=0).sum()
    return int(low), int(high)

def my_loop(weights, pixels):
    return microcontroller.run_c('''
    int32_t sum = 0;

    for (int i = 0; i < count; i++)
        sum += weights[i] * pixels[i];
    return sum;
    ''', weights, pixels)

def my_folded(weight, mean, var, gamma, beta):
    scale = gamma / (var + 1e-5).sqrt()
    return weight * scale[:, None, None, None], beta - mean * scale
"""

# Beginnings of answers.
TUNE = """optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for inputs, labels in batches:
    optimizer.zero_grad()
    F.cross_entropy(model(inputs), labels).backward()
    optimizer.step()
"""
COUNT = """count = round(sparsity * weight.numel())
mask = torch.ones_like(weight, dtype=torch.bool)
"""


def functions(source):
    """{name: function} that a piece of notebook code defines."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    space = dict(SPACE)
    exec(compile(tree, "notebook", "exec"), space)
    return {node.name: space[node.name] for node in tree.body}


def told(name, function):
    """What is said of a function if it has this name."""
    def named(*arguments):
        return function(*arguments)

    named.__name__ = name
    return exercises.check(named)


def mistakes(name):
    """Pairs of a wrong function and what to say about it; the table below has the others."""
    exercise, known = _load(name)
    for mistake in known:
        if "error" not in mistake:
            yield exercise.wrong(mistake), mistake.get("say", GIVEN)


def given(name):
    """The code that is handed out, or no text."""
    return "\n".join(line for mistake in _load(name)[1]
                     for line in mistake.get("given", ()))


def written(name, text):
    """What is said of a function whose body is this expression, or these lines."""
    head = {"my_normalize": "pixels", "my_flatten": "images",
            "my_accuracy": "logits, labels",
            "my_mask": "weight, sparsity", "my_quantize": "values, scale, zero_point",
            "my_rescale": "total, multiplier, shift",
            "my_bytes": "counts", "my_choice": "networks, dense",
            "my_shared": "weights, code", "my_sums": "pixels, weight",
            "my_step": "model, optimizer, inputs, labels", "my_hold": "weights, masks",
            "my_fine_tune": "model, batches", "my_frozen": "model, optimizer, batches",
            "my_smaller": "weight1, bias1, weight2, keep", "my_int8": "values, seen",
            "my_qparams": "values", "my_rounded": "weight, scale",
            "my_folded": "weight, mean, var, gamma, beta",
            "my_speedup": "floats, integers, digits, clock",
            "my_bounds": "weight, bias", "my_loop": "weights, pixels"}[name]
    lines = text.split("\n") if "\n" in text else [f"return {text}"]
    source = "\n    ".join([f"def {name}({head}):", *lines])
    return exercises.check(functions(source)[name])


def solutions():
    """{name of an exercise: its solution, as an ast node}."""
    return {node.name: node for node in ast.parse(SOLUTIONS).body}
