"""The commands around keys, encrypted files and registry credentials (spec section 6)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand
from longshore.cli.legacy_flags import legacy_key_type
from longshore.cli.values import OneOf

if TYPE_CHECKING:
    from longshore.secrets.key_lookup import KeySource


class _Format(OneOf):
    """A format to write; ``v1`` is the spec's name for the original's (E-14)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As `OneOf`."""
        return super().convert("jet-v1" if value == "v1" else value, param, ctx)


_format = click.option(
    "--format",
    "shape",
    type=_Format(["longshore", "jet-v1"]),
    default="longshore",
    help="longshore (default; tells wrong keys and changes) or jet-v1 (readable by the original)",
)
_binary = options.flag("--binary", help="the plain file may be anything, not only text")


def _keys(key_path: str | None, directory: str = ".") -> KeySource:
    from longshore.environment import Environment
    from longshore.secrets.key_lookup import KeySource

    return KeySource(
        environment=Environment.of_process(),
        directory=Path(directory),
        key_path=None if key_path is None else Path(key_path),
    )


def _tell(text: str) -> None:
    click.echo(text, err=True)


@click.command(cls=CobraCommand, name="generate")
@options.text("--key-path", "file to write the AES key to (default: codeship.aes)")
@legacy_key_type
@options.flag("--force", help="replace an existing key")
def generate(key_path: str | None, force: bool) -> int:
    """Generate an AES key for encrypting files, into codeship.aes."""
    from longshore.commands.generate import generate as run_generate

    return run_generate(path=Path(key_path or "codeship.aes"), force=force, out=_tell)


@click.command(cls=CobraCommand, name="encrypt")
@options.key_of_current_directory
@legacy_key_type
@_format
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
def encrypt(key_path: str | None, shape: str, source: str, target: str) -> int:
    """Encrypt a file of any kind using an AES key; - is standard input or output.

    Keep the plain file and the key out of the repository, and commit the encrypted one.
    """
    from longshore.cli import terminal
    from longshore.commands.encrypt import encrypt as run_encrypt
    from longshore.secrets.envelope import Format

    return run_encrypt(
        source=source,
        target=target,
        keys=_keys(key_path),
        format=Format(shape),
        streams=terminal.standard_streams(),
        out=_tell,
    )


@click.command(cls=CobraCommand, name="decrypt")
@options.key_of_current_directory
@legacy_key_type
@_binary
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
def decrypt(key_path: str | None, binary: bool, source: str, target: str) -> int:
    """Decrypt a file using an AES key; - is standard input or output.

    Files of longshore and of jet before 2.6 are read; those of later ones by trial, as their format
    was never published.
    """
    from longshore.cli import terminal
    from longshore.commands.decrypt import decrypt as run_decrypt

    return run_decrypt(
        source=source,
        target=target,
        keys=_keys(key_path),
        binary=binary,
        streams=terminal.standard_streams(),
    )


@click.command(cls=CobraCommand, name="rekey")
@options.text("--old", "the key file the files are encrypted with (required)", required=True)
@options.text("--new", "the key file to encrypt them with (required)", required=True)
@_format
@_binary
@click.argument("files", nargs=-1, required=True)
def rekey(old: str, new: str, shape: str, binary: bool, files: tuple[str, ...]) -> int:
    """Encrypt files anew with another AES key: all of them, or none if one fails.

    With `--binary` a file in the original's format that is of no known kind cannot tell which key
    it has: it is kept beside as FILE.before-rekey, and not taken again while that is there.
    """
    from longshore.commands.rekey import rekey as run_rekey
    from longshore.secrets.envelope import Format

    return run_rekey(
        old=Path(old),
        new=Path(new),
        files=[Path(name) for name in files],
        format=Format(shape),
        binary=binary,
        out=_tell,
    )


@click.command(cls=CobraCommand, name="dockercfg")
@options.key_of_current_directory
@options.flag("--encrypt", help="encrypt the file with the AES key")
@click.option(
    "--registry",
    "registries",
    metavar="string",
    multiple=True,
    help="only this registry; repeatable",
)
@click.argument("target", metavar="OUT")
def dockercfg(key_path: str | None, encrypt: bool, registries: tuple[str, ...], target: str) -> int:
    """Make a credentials file from your own docker login, asking credential helpers.

    The result suits encrypted_dockercfg_path; - is standard output.
    """
    import anyio

    from longshore.cli import terminal
    from longshore.commands.dockercfg import dockercfg as run_dockercfg
    from longshore.environment import Environment

    async def make() -> int:
        return await run_dockercfg(
            target=target,
            registries=registries,
            keys=_keys(key_path) if encrypt else None,
            environment=Environment.of_process(),
            streams=terminal.standard_streams(),
            out=_tell,
        )

    return anyio.run(make)


@click.command(cls=CobraCommand, name="env")
@options.project_flags
@options.ci_flags
@options.key_path
@options.env_flag
@options.flag("--reveal", help="show the values too")
@click.argument("service")
def env(**flags: Any) -> int:
    """Show the names of the variables a service would get, and which file each comes from."""
    from longshore.cli import choices, terminal
    from longshore.commands.env import show_env
    from longshore.environment import Environment

    return show_env(
        choices.project_choice(flags),
        choices.facts(flags),
        service=flags["service"],
        command_line=options.pairs(flags["env"]),
        keys=_keys(flags["key_path"], flags["dir"]),
        reveal=flags["reveal"],
        environment=Environment.of_process(),
        sink=terminal.sink(),
    )
