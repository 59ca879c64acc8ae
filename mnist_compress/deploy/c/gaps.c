/* Adds the inputs of a unit whose weights are not zero. Two bytes a weight: the weight, and how
   many inputs to go on. Where that is too far, a weight of 0 stands between. -128, which is no
   weight, ends the unit. */
static uint32_t add_up(uint32_t at, const value *input, const struct layer *layer, int32_t *sum)
{
    int32_t weight;

    (void)layer;
    while ((weight = (int8_t)weights[at++]) != -128) {
        input += weights[at++];
        *sum += weight * *input;
    }
    return at;
}
