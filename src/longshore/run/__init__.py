"""Walks a plan on an engine and emits events."""
