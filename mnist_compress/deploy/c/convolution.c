/* A digit reader of convolutions, $channels channels, with $count weights that are not
   zero in a table of $size bytes. No picture brings a sum beyond $bound, so 32 bits
   hold all of them. Call predict(pixels, logits): 28 x 28 bytes, row after row, 0 for paper and 255
   for ink. The largest of the ten logits is the digit. */
#include <stdint.h>

typedef uint8_t value; /* a pixel, or what a channel answers at one place */

/* Each place of a picture holds its channels side by side. A block looks at each place through a
   window, each channel alone, the first block at the picture's only one; all but the first mix the
   channels; then the largest of pool x pool places remains. The last one only mixes. */
struct block {
$fields
};

static const struct block blocks[$blocks] = {
$rows
};

/* Two weights in a byte, the first in the low half: those of a window place after place, those that
   mix channels for one channel out after the other, each of these 8 too large. */
$arrays
$rescale
/* Adds an input times a weight to each sum: a pixel's, or each channel's own. */
static void add(const value *input, uint32_t step, const uint8_t *code, int32_t *sum,
                const int32_t *end)
{
    do {
        int32_t byte = *code++; /* here its halves have a sign */

        sum[0] += *input * ((int8_t)(byte << 4) >> 4);
        input += step;
        sum[1] += *input * ((int8_t)byte >> 4);
        input += step;
        sum += 2;
    } while (sum < end);
}

/* What the window at a place sees, in the sums of the channels. Beyond the edge are zeros. */
static void look(const struct block *block, const value *from, int32_t top, int32_t left,
                 int32_t *sums)
{
    const int32_t *end = sums + block->channels;
    const int32_t bottom = top + block->kernel < block->side ? top + block->kernel : block->side;
    const int32_t right = left + block->kernel < block->side ? left + block->kernel : block->side;
    const int32_t first = left < 0 ? 0 : left;

    for (int32_t *sum = sums; sum < end; sum++)
        *sum = 0;
    for (int32_t row = top < 0 ? 0 : top; row < bottom; row++) {
        const value *input = &from[(row * block->side + first) * block->reads];
        const value *last = input + (right - first) * block->reads;
        const uint8_t *code = &weights[block->window]
            + ((row - top) * block->kernel + first - left) * block->channels / 2;

        for (; input < last; input += block->reads, code += block->channels / 2)
            if (block->reads > 1)
                add(input, 1, code, sums, end);
            else if (*input > 0)
                add(input, 0, code, sums, end);
    }
}

/* Mixes the sums of a place; of each channel the largest so far remains. A whole byte is its first
   weight and 16 times its second, so the second sum gives back 16 times the first. */
static void mix(const struct block *block, int32_t *sums, int32_t *best)
{
    const uint8_t *code = &weights[block->mixture];
    const int32_t *stop = best + block->outputs, *end = sums + block->channels;
    int32_t more = 0;

    for (int32_t *sum = sums; sum < end; sum += 2) {
        more += 8 * (sum[0] + sum[1]);
        sum[1] -= 16 * sum[0];
    }
    for (; best < stop; best++) {
        int32_t total = -more;
        const int32_t *sum = sums;

        do {
            int32_t byte = *code++;

            total += *sum++ * byte;
            total += *sum++ * (byte >> 4);
        } while (sum < end);
        if (total > *best)
            *best = total;
    }
}

/* What a block answers at one place, from the sums of pool x pool places. */
static void answer(const struct block *block, const value *from, int32_t row, int32_t column,
                   value *to)
{
    int32_t best[$most];

    for (uint32_t unit = 0; unit < block->outputs; unit++)
        best[unit] = INT32_MIN;
    for (int32_t down = 0; down < block->pool; down++)
        for (int32_t right = 0; right < block->pool; right++) {
            int32_t sums[$most];
            int32_t top = (row * block->pool + down) * block->stride - block->kernel / 2;
            int32_t left = (column * block->pool + right) * block->stride - block->kernel / 2;

            look(block, from, top, left, block->mixture ? sums : best);
            if (block->mixture)
                mix(block, sums, best);
        }
    for (uint32_t unit = 0; unit < block->outputs; unit++) {
        uint32_t at = block->first + unit;

        to[unit] = rescale(best[unit] + biases[at], multipliers[at], shifts[at]);
    }
}

void predict(const uint8_t pixels[784], int32_t logits[10]);

void predict(const uint8_t pixels[784], int32_t logits[10])
{
    value room[$room]; /* a block writes over what it has read already, from the top or the bottom */
    int32_t sums[$most] = {0};
    const struct block *block = blocks;
    const value *from = pixels, *end;

    for (; block->places > 0; block++) {
        value *to = &room[block->to];

        for (int32_t count = 0; count < block->places; count++) {
            int32_t row = block->upward ? block->places - 1 - count : count;

            for (int32_t column = 0; column < block->places; column++)
                answer(block, from, row, column,
                       &to[(row * block->places + column) * block->outputs]);
        }
        from = to;
    }
    end = from + block->side * block->side * block->channels;
    while (from < end)
        for (uint32_t unit = 0; unit < block->channels; unit++)
            sums[unit] += *from++;
    for (uint32_t digit = 0; digit < 10; digit++)
        logits[digit] = INT32_MIN;
    mix(block, sums, logits);
    for (uint32_t digit = 0; digit < 10; digit++)
        logits[digit] += biases[block->first + digit];
}
