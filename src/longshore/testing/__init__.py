"""Fakes that ship with the product: a scriptable engine and a registry with faults."""
