"""What decides the questions of 09_microcontroller."""

from ...data import load_sample
from ...measure import multiply_adds
from ...pruning import fine_tune, prune
from ...quantization import quantize_model
from ...training import trained_model
from ..microcontroller import on_chip


def _zeros():
    train, validation, _ = load_sample()
    sparse = quantize_model(fine_tune(prune(trained_model(), 0.9), train), train)
    kept, left_out = (_instructions((sparse, encoding), validation)
                      for encoding in ("dense", "gaps"))
    return (f"The same integers, 90 % zeros: {kept:,.0f} instructions with the zeros in the table, "
            f"{left_out:,.0f} without them.")


def _floats():
    train, validation, _ = load_sample()
    model, products = trained_model(), multiply_adds(trained_model())[0]
    floats, integers = (_instructions(network, validation) / products
                        for network in (model, (quantize_model(model, train), "dense")))
    return (f"For {products:,} products, {floats:.0f} instructions each in float32 and "
            f"{integers:.0f} in int8.")


def _instructions(network, digits):
    """Of one program; `on_chip` draws a bar for more."""
    (row,) = on_chip({"it": network}, digits)
    return row.instructions
