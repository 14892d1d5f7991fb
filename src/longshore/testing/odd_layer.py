"""A layer with everything that tars and file systems may have, for whoever reads layers."""

from __future__ import annotations

import tarfile

from longshore.image.layer import BLOCK
from longshore.testing.images import TarLayer, tar_of


def info(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    """A member of a tar; `more` are attributes of it."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


def odd_layer() -> TarLayer:
    """Everything a layer may hold that is not a plain file."""
    long_name = "/".join(["a-directory-with-a-rather-long-name"] * 6) + "/file"
    return tar_of(
        [
            (info("dir/", tarfile.DIRTYPE, mode=0o1777), b""),
            (info("dir/file", mtime=1234567890.123456789), b"content\n"),
            (info("dir/empty"), b""),
            (info("dir/hardlink", tarfile.LNKTYPE, linkname="dir/file"), b""),
            (info("dir/symlink", tarfile.SYMTYPE, linkname="/etc/passwd"), b""),
            (info("./dir/dotted"), b"under a dot\n"),
            (info("null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666), b""),
            (info("fifo", tarfile.FIFOTYPE), b""),
            (info("etc/", tarfile.DIRTYPE), b""),
            (info("etc/.wh.gone"), b""),
            (info("opaque/", tarfile.DIRTYPE), b""),
            (info("opaque/.wh..wh..opq"), b""),
            (info(long_name), b"long\n"),
            (info("ünïcödé-日本/🚢"), b"Inhalt"),
            (info('quotes " and \\ and <&>'), b"escaped in JSON\n"),
            (info("xattr", pax_headers={"SCHILY.xattr.user.note": "kept"}), b"with xattr\n"),
            (info("setuid", mode=0o4755, uid=1000, gid=2_000_000), b"#!/bin/sh\n"),
            (info("zeros"), bytes(3 * BLOCK + 17)),
            (info("exactly-a-block"), b"x" * BLOCK),
        ]
    )


def layer_below() -> TarLayer:
    """What an odd layer takes away from."""
    return tar_of([(info("etc/", tarfile.DIRTYPE), b""), (info("etc/gone"), b"soon\n")])
