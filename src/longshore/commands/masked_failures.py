"""Errors on their way out of a command, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from longshore.errors import LongshoreError
from longshore.secrets.masking import Masker


@contextmanager
def masked_failures(masker: Masker) -> Iterator[None]:
    """Mask the texts of errors that leave the block: what an engine says may hold anything."""
    try:
        yield
    except BaseException as failure:
        _mask(failure, masker)
        raise


def _mask(failure: BaseException, masker: Masker) -> None:
    if isinstance(failure, BaseExceptionGroup):
        for inner in failure.exceptions:
            _mask(inner, masker)
    elif isinstance(failure, LongshoreError):
        failure.message = masker.mask_text(failure.message)
        failure.args = (failure.message,)
        failure.hint = None if failure.hint is None else masker.mask_text(failure.hint)
