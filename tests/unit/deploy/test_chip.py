"""The emulated chips against the network in NumPy; what they count, against counts of another kind.

CHIP_DIGITS says how many of MNIST's official test digits each network reads on each core. With
REQUIRE_CHIP=1, nothing here may be skipped.
"""

import os
import re
import shutil
import subprocess
from importlib import metadata

import numpy as np
import pytest

from mnist_compress import deploy, packed
from mnist_compress.data import load_full
from mnist_compress.deploy import chip
from mnist_compress.deploy.encodings import ENCODINGS
from tests.unit.conftest import official_folder
from tests.unit.deploy.networks import NAMES, network, pictures
from tools import image as command

CORES = ("cortex-m0plus", "cortex-m4", "rv32imc", "rv32emc")
TESTED = {"ziglang": "0.17.1", "unicorn": "2.1.4"}


def skip(reason):
    """Skip a test, or fail it where it must run."""
    (pytest.fail if os.environ.get("REQUIRE_CHIP") == "1" else pytest.skip)(reason)


@pytest.fixture(autouse=True, scope="module")
def extra():
    """Skips what follows without the extra, unless REQUIRE_CHIP=1."""
    if not chip.installed():
        skip("the extra [chip] is not installed")


@pytest.fixture(scope="module")
def images(test):
    """Official digits where they are here or where the sample has not enough, else the sample's."""
    count = int(os.environ.get("CHIP_DIGITS", 200))
    folder = official_folder()
    wanted = folder or count > len(test)
    digits = load_full(folder, progress=False)[1] if wanted else test
    return digits.images[:count].numpy()


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The C file of a network."""
    folder = tmp_path_factory.mktemp("sources")

    def source(name, encoding=None):
        path = folder / f"{name}-{encoding}.c"
        if not path.exists():
            deploy.export_c(network(name), path, encoding)
        return path

    return source


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_numpy(name, images, sources):
    pixels = pictures(network(name), images)
    wanted = network(name).logits(pixels)
    for core in CORES:
        built = chip.build(sources(name), core)
        assert np.array_equal(chip.Chip(built).logits(pixels), wanted), core


@pytest.mark.parametrize("core", chip.CORES)
def test_a_convolution_on_every_core(core, images, sources):
    pixels = images[:20].reshape(-1, 784)
    built = chip.build(sources("convolution"), core)
    wanted = network("convolution").logits(pixels)
    assert np.array_equal(chip.Chip(built).logits(pixels), wanted)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_on_every_core(encoding, images, sources):
    pixels, small = images[:20], network("thousand-small")
    for core in chip.CORES:
        built = chip.build(sources("thousand-small", encoding), core)
        assert np.array_equal(chip.Chip(built).logits(pixels), small.logits(pixels)), core


@pytest.mark.parametrize("name, encoding, digits, flash, stack, instructions, cycles", [
    ("thousand", "bytes", 100, 896, 504, 11_683, 15_861),
    ("thousand", "bits", 100, 830, 504, 24_283, 31_460),
    ("lenet", "bytes", 100, 4_439, 848, 61_186, 81_101),
    ("lenet", "bits", 100, 3_848, 848, 138_572, 177_037),
    ("perceptron-small", "bytes", 100, 944, 504, 12_328, 16_705),
    ("convolution", None, 5, 2_662, 2_388, 1_486_159, 2_098_436),
])
def test_exact_figures(name, encoding, digits, flash, stack, instructions, cycles, test,
                       sources):
    for package, version in TESTED.items():
        if metadata.version(package) != version:
            skip(f"these are the figures of {package} {version}")
    built = chip.build(sources(name, encoding))
    found = chip.Chip(built).count(test.images[:digits])
    assert (built.flash, found.stack) == (flash, stack)
    assert found.instructions == pytest.approx(instructions, abs=2)
    assert found.cycles == pytest.approx(cycles, abs=10)


@pytest.mark.parametrize("core", chip.CORES)
def test_instructions_are_those_that_are_counted_one_by_one(core, test, sources):
    from unicorn import UC_HOOK_CODE

    built = chip.build(sources("thousand"), core)
    found = chip.Chip(built).count(test.images[:2])
    each, slow = [], chip.Chip(built)
    slow._emulator.hook_add(UC_HOOK_CODE, lambda *_: each.append(1))
    slow.logits(test.images[:2])
    # a Cortex-M4 passes over instructions whose condition fails, which the hook does not see
    assert 0 <= 2 * found.instructions - len(each) <= 2 * 31 * (core == "cortex-m4")
    assert np.isnan(found.cycles) == (core != "cortex-m0plus")


def test_flash_is_all_that_is_loaded(sources):
    for core in ("cortex-m0plus", "rv32ec"):
        built = chip.build(sources("thousand"), core)
        held = sum(len(data) for _, data in chip._loaded(built.elf)[0])
        assert held <= built.flash < held + 4  # what aligns the tables
    with_a_multiplier = chip.build(sources("thousand"), "rv32emc")
    assert built.code > with_a_multiplier.code  # the compiler's multiplication is counted


def test_the_stack_is_what_the_program_reaches_down_to(test, sources):
    from unicorn import UC_HOOK_MEM_WRITE

    built = chip.build(sources("lenet"))
    lowest, watched = [], chip.Chip(built)
    watched._emulator.hook_add(UC_HOOK_MEM_WRITE,
                               lambda uc, kind, address, *_: lowest.append(address))
    watched.logits(test.images[:5])
    top = chip._RAM + chip._RAM_BYTES
    assert chip.Chip(built).count(test.images[:5]).stack == top - min(
        address for address in lowest if address >= chip._STACK)


def test_float32_on_the_chip(model, test, tmp_path):
    deploy.export_c(model, tmp_path / "float.c")
    built = chip.build(tmp_path / "float.c")
    running = chip.Chip(built)
    found = running.logits(test.images[:2])
    assert found.dtype == np.float32
    assert np.allclose(found, model(test.inputs[:2]).detach(), atol=1e-5)
    assert 406_528 < built.flash < 412_000
    assert running.count(test.images[:1]).instructions > 5e6  # without a unit for floats


def picture_of(digit, test):
    return test.images[test.labels == digit][0].numpy()


@pytest.fixture(scope="module")
def image(tmp_path_factory, sources):
    """(path of the .elf, path of the .hex, bytes of flash)."""
    name = tmp_path_factory.mktemp("image") / "reader"
    flash = chip.write_image(sources("thousand"), name)
    return name.with_suffix(".elf"), name.with_suffix(".hex"), flash


def test_the_image_boots(image, test):
    elf, _, flash = image
    (start, vectors), *_ = segments = chip._loaded(elf.read_bytes())[0]
    assert start == 0 and len(vectors) == 16
    assert 896 < flash < 1057
    top, reset = np.frombuffer(vectors, "<u4", 2).tolist()
    built = chip._Build("cortex-m0plus", elf.read_bytes(), 0, 0, reset, False)
    for digit in (0, 7):
        emulator, registers = chip._start(built)
        emulator.mem_write(chip._RAM, picture_of(digit, test).tobytes())
        emulator.reg_write(registers[2], top)
        emulator.emu_start(reset, 0, count=20_000)
        found = int.from_bytes(emulator.mem_read(chip._LOGITS, 4), "little")
        assert found == network("thousand").predict(picture_of(digit, test)[None])[0]
    assert sum(len(data) for _, data in segments) <= flash


def check_hex(name, flash):
    """The .hex file, which may count in steps of 16 bytes, holds what the .elf file loads."""
    memory, base = {}, 0
    for line in name.with_suffix(".hex").read_text().split():
        record = bytes.fromhex(line[1:])
        assert line[0] == ":" and sum(record) % 256 == 0
        start, kind = base + int.from_bytes(record[1:3], "big"), record[3]
        assert kind in (0, 1, 2, 4)
        if kind == 0:
            memory.update(zip(range(start, start + record[0]), record[4:-1], strict=True))
        elif kind > 1:
            base = int.from_bytes(record[4:6], "big") << (4 if kind == 2 else 16)
    for start, data in chip._loaded(name.with_suffix(".elf").read_bytes())[0]:
        assert bytes(memory[start + place] for place in range(len(data))) == data
    assert max(memory) + 1 == flash and line == ":00000001FF"


def test_one_command_writes_it(image, tmp_path, capsys):
    command.main("thousand", tmp_path / "digits")
    packed.save(network("thousand"), tmp_path / "mine.mc")
    command.main(str(tmp_path / "mine.mc"), tmp_path / "mine")
    assert capsys.readouterr().out.startswith(f"{image[2]:,} bytes of flash in ")
    for name in ("digits", "mine"):
        assert (tmp_path / f"{name}.hex").read_text() == image[1].read_text()
        assert (tmp_path / f"{name}.elf").exists() and (tmp_path / f"{name}.c").exists()


def test_the_hex_file_holds_the_same(image, sources, tmp_path):
    check_hex(image[0], image[2])
    large = chip.write_image(sources("pruned"), tmp_path / "reader")
    assert large > 2**16
    check_hex(tmp_path / "reader", large)


def test_the_image_boots_in_qemu(image, test, tmp_path):
    if shutil.which("qemu-system-arm") is None:
        skip("QEMU is not here")
    picture = picture_of(4, test)
    (tmp_path / "picture.bin").write_bytes(picture.tobytes())
    told = subprocess.run(
        ["qemu-system-arm", "-M", "microbit", "-display", "none", "-serial", "none", "-kernel",
         image[0], "-device", f"loader,file={tmp_path / 'picture.bin'},addr=0x20000000",
         "-monitor", "stdio"], input="xp /1wx 0x20000310\n" * 200 + "quit\n", text=True,
        capture_output=True, timeout=60, check=True).stdout
    found = int(re.findall(r"20000310: 0x([0-9a-f]{8})", told)[-1], 16)
    assert found == network("thousand").predict(picture[None])[0]


def test_without_the_extra(sources, monkeypatch):
    monkeypatch.setattr(chip.importlib.util, "find_spec", lambda name: None)
    assert not chip.installed()
    with pytest.raises(ImportError, match=r"extra: pip install -c constraints.txt -e '.\[chip\]"):
        chip.build(sources("thousand"))


def test_what_is_refused(sources, tmp_path):
    with pytest.raises(ValueError, match=r"core must be one of cortex-m0plus, .*; got 'z80'"):
        chip.build(sources("thousand"), "z80")
    (tmp_path / "wrong.c").write_text("int predict(void) { return nothing; }")
    with pytest.raises(RuntimeError, match="nothing"):
        chip.build(tmp_path / "wrong.c")


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
    assert chip._cycles(half) == cycles


def test_branches_that_are_taken_take_one_more():
    loop = bytes.fromhex("401e fdd1 7047")  # subs r0, r0, #1; bne back; bx lr
    assert chip._cost(loop[:4], True) == (2, 2, True)
    assert chip._cost(loop[4:], True) == (1, 2, False)
    assert chip._cost(bytes.fromhex("00f0 00f8"), True) == (1, 3, False)  # bl
    assert chip._cost(bytes.fromhex("0505 1305 1500"), False)[0] == 2  # 16 and 32 bits of RISC-V
