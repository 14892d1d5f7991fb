"""A build context as the tar stream that docker's own client would send."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from msgspec import Struct

from longshore.engine.docker.errors import UNREADABLE
from longshore.engine.ignore import Ignore, parse
from longshore.errors import BuildFailed, InvalidValue

PIECE = 1 << 20
_IGNORE_FILE = ".dockerignore"
_CAPABILITY = "security.capability"


class Extra(Struct, frozen=True):
    """A file we add."""

    name: str
    content: bytes
    mode: int


class Context(Struct, frozen=True, kw_only=True):
    """What will be sent: `dockerfile` is its name within the stream, `extra` files we add."""

    directory: Path
    dockerfile: str
    ignore: Ignore
    extra: tuple[Extra, ...] = ()


def prepare(directory: Path, dockerfile: Path) -> Context:
    """Look at a context before anything is sent; raises `BuildFailed` in the user's words.

    The Dockerfile and the ``.dockerignore`` are always sent. A Dockerfile outside the context is
    sent under a name of its own, which the ``.dockerignore`` sent with it names, so that the engine
    takes it out again before the first step (spec S-5; as ``docker build -f`` does). The name comes
    from the content, where docker's is random: so the same files are found in the build cache.
    """
    if not directory.is_dir():
        raise BuildFailed(
            f"the build context {directory} is not a directory",
            hint="look at `build.path` (or `context`) of the service",
        )
    content = _dockerfile(dockerfile)
    ignore = _ignore(directory, dockerfile)
    try:
        # Links and `..` followed, as docker's client does, for the engine follows none out of it.
        name = dockerfile.resolve().relative_to(directory.resolve()).as_posix()
    except ValueError:
        return _with_dockerfile(directory, content, ignore)
    kept = ignore.keeping([_IGNORE_FILE, name])
    return Context(directory=directory, dockerfile=name, ignore=kept)


def _ignore(directory: Path, dockerfile: Path) -> Ignore:
    """``NAME.dockerignore`` beside a Dockerfile NAME comes first (Docker, "Filename and location");
    beside the file itself, where `dockerfile` is a link.

    Docker's classic builder does not know it; here all builders shall send the same.
    """
    real = dockerfile.resolve()
    own = real.with_name(real.name + _IGNORE_FILE)
    found = next((path for path in (own, directory / _IGNORE_FILE) if path.is_file()), None)
    return Ignore() if found is None else _parsed(found, _content(found))


def _with_dockerfile(directory: Path, content: bytes, ignore: Ignore) -> Context:
    """A context that a Dockerfile of this content is added to."""
    path = directory / _IGNORE_FILE
    text = _content(path) if path.is_file() else None
    name = f".dockerfile.{hashlib.sha256(content).hexdigest()[:20]}"
    # Without a .dockerignore of the user's, ours leaves itself out too.
    lines = (_IGNORE_FILE.encode() if text is None else text) + f"\n{name}\n".encode()
    mode = 0o600 if text is None else stat.S_IMODE(path.stat().st_mode)
    extra = (Extra(name, content, 0o600), Extra(_IGNORE_FILE, lines, mode))
    return Context(directory=directory, dockerfile=name, ignore=ignore, extra=extra)


def _dockerfile(path: Path) -> bytes:
    if not path.is_file():
        raise BuildFailed(
            f"there is no Dockerfile at {path}",
            hint="look at `build.dockerfile` (or `dockerfile_path`) of the service",
        )
    return _content(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BuildFailed(f"{path} cannot be read: {error.strerror}") from error


def _parsed(path: Path, text: bytes) -> Ignore:
    try:
        return parse(text.decode(errors="surrogateescape"))
    except InvalidValue as error:
        raise BuildFailed(f"{path}: {error.message}", hint=error.hint) from error


def pack(context: Context, send: Callable[[bytes], None]) -> None:
    """Give the tar stream to `send` in pieces of about a MiB; blocks, so call it in a thread.

    Raises `BuildFailed` naming the file that cannot be read. Whatever `send` raises goes through.
    """
    sink = _Sink(send)
    # TarFile's own stream mode copies its whole buffer for every write.
    with tarfile.TarFile(
        fileobj=sink,  # type: ignore[arg-type]  # it needs write and tell only (CPython tarfile)
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
        copybufsize=PIECE,
    ) as archive:
        added = {extra.name for extra in context.extra}
        links: dict[tuple[int, int], str] = {}
        for name, entry in _kept(context):
            if name not in added:
                _add(archive, Path(entry.path), name, links)
        for extra in context.extra:
            _add_extra(archive, extra)
    sink.flush()


def _kept(context: Context) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every entry to send, a directory before what it holds, in order of names."""
    pending = [_entries(context.directory, "")]
    while pending:
        for name, entry in pending[-1]:
            left_out = context.ignore.ignores(name)
            if not left_out:
                yield name, entry
            if entry.is_dir(follow_symlinks=False) and not (
                left_out and not context.ignore.may_keep_below(name)
            ):
                pending.append(_entries(Path(entry.path), f"{name}/"))
                break
        else:
            pending.pop()


def _entries(directory: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        found = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(directory, error) from error
    return iter([(prefix + entry.name, entry) for entry in found])


def _unreadable(path: Path, error: OSError) -> BuildFailed:
    return BuildFailed(
        f"the build context cannot be sent: {path}: {error.strerror}",
        hint=UNREADABLE,
    )


def _add(
    archive: tarfile.TarFile, path: Path, name: str, links: dict[tuple[int, int], str]
) -> None:
    try:
        member = _member(path, name, links)
        if member is None:
            return
        if not member.isreg():
            archive.addfile(member)
            return
        with path.open("rb") as file:
            member.size = os.fstat(file.fileno()).st_size
            archive.addfile(member, file)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise BuildFailed(f"{path} became shorter while it was sent") from error
        raise _unreadable(path, error) from error


_KINDS = (
    (stat.S_ISDIR, tarfile.DIRTYPE),
    (stat.S_ISLNK, tarfile.SYMTYPE),
    (stat.S_ISREG, tarfile.REGTYPE),
    (stat.S_ISFIFO, tarfile.FIFOTYPE),
    (stat.S_ISCHR, tarfile.CHRTYPE),
    (stat.S_ISBLK, tarfile.BLKTYPE),
)


def _member(path: Path, name: str, links: dict[tuple[int, int], str]) -> tarfile.TarInfo | None:
    """The entry's head: whole seconds, owner 0:0, a further name of a file as a hard link.

    Sockets have no place in a tar and are left out, as docker's client does.
    """
    status = path.lstat()
    kind = next((kind for test, kind in _KINDS if test(status.st_mode)), None)
    if kind is None:
        return None
    member = tarfile.TarInfo(name)
    member.type = kind
    member.mode = stat.S_IMODE(status.st_mode)
    member.mtime = int(status.st_mtime)
    if kind == tarfile.SYMTYPE:
        member.linkname = os.readlink(path)  # noqa: PTH115  # Path.readlink tidies the target
    elif kind in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
        member.devmajor, member.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
    elif kind == tarfile.REGTYPE and status.st_nlink > 1:
        first = links.setdefault((status.st_dev, status.st_ino), name)
        if first != name:
            member.type, member.linkname = tarfile.LNKTYPE, first
    if kind == tarfile.REGTYPE:
        _keep_capability(path, member)
    return member


def _keep_capability(path: Path, member: tarfile.TarInfo) -> None:
    """File capabilities are the one extended attribute that docker's client sends."""
    if not hasattr(os, "getxattr"):
        return
    try:
        value = os.getxattr(path, _CAPABILITY)
    except OSError:
        return
    member.pax_headers = {f"SCHILY.xattr.{_CAPABILITY}": value.decode(errors="surrogateescape")}


def _add_extra(archive: tarfile.TarFile, extra: Extra) -> None:
    member = tarfile.TarInfo(extra.name)
    member.size = len(extra.content)
    member.mode = extra.mode
    archive.addfile(member, BytesIO(extra.content))


class _Sink:
    """Joins tarfile's small writes to pieces."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._parts: list[bytes] = []
        self._size = 0
        self._position = 0

    def write(self, data: bytes) -> int:
        self._parts.append(data)
        self._size += len(data)
        self._position += len(data)
        if self._size >= PIECE:
            self.flush()
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        if self._parts:
            self._send(b"".join(self._parts))
        self._parts, self._size = [], 0
