"""Argument parsing, signals and exit codes; the only package that prints or exits."""
