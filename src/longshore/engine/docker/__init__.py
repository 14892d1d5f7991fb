"""The Docker Engine API adapter."""
