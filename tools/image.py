"""A finished network as an image that a board like the micro:bit starts: a C file, .elf and .hex.

python -m tools.image thousand digits
python -m tools.image my_network.mc digits
"""

import sys
from pathlib import Path

from mnist_compress import deploy, packed, pretrained


def main(network, name):
    """`network`: a finished one's name or a packed file; `name`: of the files, without ending."""
    network = pretrained.load(network) if network in pretrained.RECIPES else packed.load(network)
    deploy.export_c(network, f"{name}.c")
    size = deploy.chip.write_image(f"{name}.c", name)
    print(f"{size:,} bytes of flash in {Path(name).resolve()}.elf and .hex")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
