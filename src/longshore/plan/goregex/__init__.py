"""Regular expressions as Go understands them (RE2, Go 1.19's package regexp).

`longshore.plan.goregex.search` is the door: google-re2 finds where it is installed, our own
automaton where not. One parser decides for both what a regular expression is, so that the same
pattern is refused with the same words everywhere; the judge is Go itself (``tests/plan/oracle``).

What the automaton cannot do and says so: scripts such as ``\\p{Greek}``, more than 100 groups
inside one another, and programs of more than 50,000 states. It never backtracks: time is at
most the size of the pattern times the length of the text.
"""
