/* Adds the inputs of a unit whose weights are not zero. One byte a weight: three bits say which of
   the layer's levels it is, five bits how many inputs to go on. Level 6 is 0: it only goes on.
   Level 7 ends the unit$holds. */
static uint32_t add_up(uint32_t at, const value *input, const struct layer *layer, int32_t *sum)
{
    uint32_t code;

    while ((code = weights[at++]) < 7 << 5) {
        input += code & 31;
        *sum += (int32_t)layer->level[code >> 5] * *input;
    }
    $add_bias
    return at;
}
