#include <stdint.h>
static const int8_t weights[] = {$weights};
void predict(const uint8_t pixels[784], int32_t logits[10]);
static int32_t loop(const uint8_t pixels[], int count)
{
$body
}
void predict(const uint8_t pixels[784], int32_t logits[10])
{
    logits[0] = loop(pixels, $count);
}
