/* What stands at address 0 of a Cortex-M, and what runs when it is switched on: read the picture at
   the start of the memory, write the digit behind it, wait. A debugger or an emulator lays the
   picture there first. */
#include <stdint.h>

struct mailbox {
    uint8_t pixels[784];
    volatile uint32_t digit;
};

extern uint32_t stack_top[]; /* the end of the memory, from the linker's script */
extern struct mailbox mailbox;
void predict(const uint8_t pixels[784], int32_t logits[10]);
void reset(void);
void fault(void);

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[4] = {
    (uintptr_t)stack_top, (uintptr_t)reset, (uintptr_t)fault, (uintptr_t)fault};

void reset(void)
{
    int32_t logits[10];
    uint32_t best = 0;

    predict(mailbox.pixels, logits);
    for (uint32_t digit = 1; digit < 10; digit++)
        if (logits[digit] > logits[best])
            best = digit;
    mailbox.digit = best;
    fault();
}

void fault(void)
{
    for (;;) {
    }
}
