"""One file a command: plain keyword arguments in, exit code out."""
