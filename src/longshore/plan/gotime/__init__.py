"""Go's ``time.Time`` as templates see it: layouts, methods, printed forms.

Named after Go's package because it answers to Go's rules, not Python's. The judge is Go itself:
``tests/plan/oracle``.
"""

from longshore.plan.gotime.value import GoTime

__all__ = ["GoTime"]
