/* A digit reader in float32, from $widths units. Call predict(pixels, logits): 28 x 28 bytes, row
   after row, 0 for paper and 255 for ink. The largest of the ten logits is the digit. */
#include <stdint.h>

static const uint16_t widths[$layers + 1] = {$widths};

$arrays
void predict(const uint8_t pixels[784], float logits[10]);

void predict(const uint8_t pixels[784], float logits[10])
{
    float values[$values]; /* the inputs and what the hidden units answer */
    const float *inputs = values, *weight = weights, *bias = biases;
    float *next = values;

    for (int pixel = 0; pixel < 784; pixel++)
        *next++ = (float)pixels[pixel] / 255;
    for (int layer = 0; layer < $layers; layer++) {
        const float *outputs = next;

        for (int unit = 0; unit < widths[layer + 1]; unit++) {
            float sum = *bias++;

            for (int input = 0; input < widths[layer]; input++)
                sum += inputs[input] * *weight++;
            if (layer < $layers - 1)
                *next++ = sum > 0 ? sum : 0; /* ReLU */
            else
                *logits++ = sum;
        }
        inputs = outputs;
    }
}
