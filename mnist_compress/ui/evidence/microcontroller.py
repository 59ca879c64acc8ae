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
    kept, left_out = on_chip({"kept": (sparse, "dense"), "left out": (sparse, "gaps")}, validation)
    return (f"The same integers, 90 % zeros: {kept.instructions:,.0f} instructions with the zeros "
            f"in the table, {left_out.instructions:,.0f} without them.")


def _floats():
    train, validation, _ = load_sample()
    model, products = trained_model(), multiply_adds(trained_model())[0]
    floats, integers = on_chip({"float32": model, "int8": (quantize_model(model, train), "dense")},
                               validation)
    return (f"For {products:,} products, {floats.instructions / products:.0f} instructions each in "
            f"float32 and {integers.instructions / products:.0f} in int8.")
