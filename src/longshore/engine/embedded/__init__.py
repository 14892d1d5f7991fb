"""The embedded engine: a private ``dockerd`` for the time of a run."""
