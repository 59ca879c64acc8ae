/* A digit reader, $widths, with $count weights that are not zero in a table of
   $size bytes ($encoding). No picture brings a sum beyond $bound, so 32 bits hold
   all of them. Call predict(pixels, logits): 28 x 28 bytes, row after row, 0 for paper and 255 for
   ink. The largest of the ten logits is the digit. */
#include <stdint.h>

typedef $value value; /* what a layer reads: $values */

struct layer {
$fields
};

static const struct layer layers[$layers] = {
$rows
};

$arrays
$add_up
$rescale
void predict(const uint8_t pixels[784], int32_t logits[10]);

void predict(const uint8_t pixels[784], int32_t logits[10])
{
    value hidden[$hidden]; /* what the hidden units answer, one layer after the other */
    value *next = hidden;
    uint32_t at = 0; /* the place in the table of weights */
$start
    for (const struct layer *layer = layers; layer < layers + $layers; layer++) {
        const value *outputs = next;

        for (uint32_t left = layer->units; left > 0; left--) {
            int32_t sum = $bias;

            at = add_up(at, inputs, layer, &sum);
            if (layer < layers + $layers - 1)
                *next++ = rescale(sum, $factors);
            else
                *logits++ = sum;
        }
        inputs = outputs; /* the next layer reads what this one wrote */
    }
}
