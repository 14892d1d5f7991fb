"""Regular expressions as Go understands them (RE2)."""

from longshore.plan.goregex.search import is_pattern, problem_of, search

__all__ = ["is_pattern", "problem_of", "search"]
