"""Instructions and cycles of machine code, against the manual."""

import pytest

from mnist_compress.deploy.cycles import _cycles, cost


@pytest.mark.parametrize("half, cycles", [
    (0x1C40, 1),  # adds r0, r0, #1
    (0x4348, 1),  # muls r0, r1, r0
    (0x7808, 2),  # ldrb r0, [r1]
    (0x5E08, 2),  # ldrsh r0, [r1, r0]
    (0x4801, 2),  # ldr r0, [pc, #4]
    (0x9001, 2),  # str r0, [sp, #4]
    (0xA801, 1),  # add r0, sp, #4
    (0xB5F0, 6),  # push {r4, r5, r6, r7, lr}
    (0xBDF0, 8),  # pop {r4, r5, r6, r7, pc}
    (0xBC30, 3),  # pop {r4, r5}
    (0xC003, 3),  # stm r0!, {r0, r1}
    (0xD0FE, 1),  # beq, not taken
    (0xE7FE, 2),  # b
    (0x4770, 2),  # bx lr
    (0x46F7, 2),  # mov pc, lr
    (0x4618, 1),  # mov r0, r3
])
def test_cycles_by_the_manual(half, cycles):
    assert _cycles(half) == cycles


def test_branches_that_are_taken_take_one_more():
    loop = bytes.fromhex("401e fdd1 7047")  # subs r0, r0, #1; bne back; bx lr
    assert cost(loop[:4], True) == (2, 2, True)
    assert cost(loop[4:], True) == (1, 2, False)
    assert cost(bytes.fromhex("00f0 00f8"), True) == (1, 3, False)  # bl
    assert cost(bytes.fromhex("0505 1305 1500"), False)[0] == 2  # 16 and 32 bits of RISC-V
