"""What decides the questions of 08_deployment."""

from ...data import load_sample
from ...quantization import quantize_model
from ...training import trained_model


def _exact_floats():
    first = quantize_model(trained_model(), load_sample()[0]).layers[0]
    reach = first.bound * int(first.multiplier)
    return (f"As float64, 2**53 is {2.0**53:,.0f}, and 2**53 + 1 is {float(2**53 + 1):,.0f}: no "
            f"longer exact. The largest product that this network can reach is {reach:,}, "
            f"{reach / 2**53:.1%} of that.")
