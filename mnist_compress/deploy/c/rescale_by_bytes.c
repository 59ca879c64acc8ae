/* ReLU, then back to 0..255: sum * multiplier / 2^(shift + 17), rounded half up. The product may
   take 48 bits, so it is made byte by byte of the multiplier, as on paper, and what the shift
   would drop is dropped at once. */
static value rescale(int32_t sum, uint32_t multiplier, uint32_t shift)
{
    uint32_t positive = sum > 0 ? (uint32_t)sum : 0;
    uint32_t scaled = positive * (multiplier & 255) >> 8;

    scaled = (positive * (multiplier >> 8 & 255) + scaled) >> 8;
    scaled += positive * (multiplier >> 16);
    scaled = ((scaled >> shift) + 1) >> 1;
    return (value)(scaled < 255 ? scaled : 255);
}
