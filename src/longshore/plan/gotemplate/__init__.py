"""Go's ``text/template`` (Go 1.19): lexer, parser, evaluator and the built-in functions.

The language is Go's, so Go is its judge: ``tests/plan/oracle``. The door to it is
`longshore.plan.templates`, which imports all this only for texts that hold an action.
"""
