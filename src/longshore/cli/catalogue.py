"""Every command: its name, its one line of help, and where its arguments are declared.

`longshore --help` is made from this table alone, so that showing it imports nothing else.
"""

from __future__ import annotations

from msgspec import Struct


class Listed(Struct, frozen=True):
    """A command: the module ``<module>_command`` declares it under its own name."""

    name: str
    summary: str
    module: str


COMMANDS = (
    Listed("cleanup", "Remove docker resources left behind by longshore", "cleanup"),
    Listed("decrypt", "Decrypt a file using an AES key", "secrets"),
    Listed("dockercfg", "Make a dockercfg from the local docker configuration", "secrets"),
    Listed("encrypt", "Encrypt a file using an AES key", "secrets"),
    Listed("env", "Show which variables a service gets, and from where", "secrets"),
    Listed("explain", "Explain a problem's code", "language"),
    Listed("generate", "Generate an AES key for encrypting files", "secrets"),
    Listed("help", "Help about any command", "help"),
    Listed("load", "Pull or build service images", "load"),
    Listed("login-check", "Try the registry credentials a plan needs", "login_check"),
    Listed("plan", "Show what would run, and why", "plan"),
    Listed("push", "Push images to registries", "push"),
    Listed("registry", "Serve a development registry", "registry"),
    Listed("rekey", "Encrypt files anew with another AES key", "secrets"),
    Listed("run", "Run a command inside a service container", "run"),
    Listed("schema", "Print the JSON Schema of one of the two files", "language"),
    Listed("steps", "Run steps", "steps"),
    Listed("update", "Tell how to upgrade longshore", "version"),
    Listed("validate", "Validate codeship-services.yml and codeship-steps.yml files", "validate"),
    Listed("version", "Display the longshore version", "version"),
)
