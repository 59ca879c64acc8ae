"""Other right answers than the solutions."""

import pytest

from .helpers import COUNT, RIGHT, TUNE, written

RIGHT_TOO = [
    ("my_bytes", "share = counts / counts.sum()\n"
     "return (-torch.xlogy(share, share).sum() / torch.log(torch.tensor(2.0)) "
     "* counts.sum() / 8).item()"),
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
