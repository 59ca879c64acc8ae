/* Adds all inputs of a unit, each times its weight. A weight is a byte, zero or not. */
static uint32_t add_up(uint32_t at, const value *input, const struct layer *layer, int32_t *sum)
{
    for (uint32_t count = 0; count < layer->inputs; count++)
        *sum += (int32_t)(int8_t)weights[at++] * *input++;
    return at;
}
