"""Exit 0 when the ELF file given needs no dynamic loader (no PT_INTERP header, elf(5))."""

import struct
import sys
from pathlib import Path

_PT_INTERP = 3


def is_static(elf: bytes) -> bool:
    """Whether a 64-bit ELF file names no program interpreter."""
    if elf[:5] != b"\x7fELF\x02":
        return False
    order = "<" if elf[5] == 1 else ">"
    (offset,) = struct.unpack_from(order + "Q", elf, 32)
    size, count = struct.unpack_from(order + "HH", elf, 54)
    kinds = [struct.unpack_from(order + "I", elf, offset + i * size)[0] for i in range(count)]
    return _PT_INTERP not in kinds


if __name__ == "__main__":
    sys.exit(not is_static(Path(sys.argv[1]).read_bytes()))
