"""Where the process begins: Ctrl-C is dealt with before anything takes time to import."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line of this process and exit."""
    end_silently()
    from longshore.cli.main import main as run

    run()


def end_silently() -> None:
    """From now on Ctrl-C ends the process as it ends others, not by a traceback of ours.

    Who was started to ignore it, as a shell's background jobs are, still does.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def take_over() -> None:
    """From now on Ctrl-C is a `KeyboardInterrupt`: somebody makes an exit code of it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
