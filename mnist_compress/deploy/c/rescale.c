/* ReLU, then back to 0..255: sum * multiplier / 2^(shift + 1), rounded half up. The product is at
   most $product, which 32 bits hold. */
static value rescale(int32_t sum, uint32_t multiplier, uint32_t shift)
{
    uint32_t scaled = sum > 0 ? (uint32_t)sum * multiplier : 0;

    scaled = ((scaled >> shift) + 1) >> 1;
    return (value)(scaled < 255 ? scaled : 255);
}
