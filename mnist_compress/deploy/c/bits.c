/* Adds the inputs of a unit whose weights are not zero. Three bits a weight say which of the
   layer's levels it is, a few bits above how many inputs to go on. Level 6 is no weight and has no
   bits above: it goes farther than they could say. Level 7 ends the unit$holds.
   The next code lies in two neighboring bytes. */
static uint32_t add_up(uint32_t at, const value *input, const struct layer *layer, int32_t *sum)
{
    for (;;) {
        const uint8_t *byte = &weights[at >> 3];
        uint32_t code = (byte[0] | (uint32_t)byte[1] << 8) >> (at & 7);
        uint32_t level = code & 7;

        code >>= 3;
        at += 3;
        if (level == 6) {
            input += layer->far;
        } else if (level == 7) {
            code &= 63;
            $add_bias
            return at + 6;
        } else {
            input += code & (layer->far - 1u);
            *sum += (int32_t)layer->level[level] * *input;
            at += layer->gap_bits;
        }
    }
}
