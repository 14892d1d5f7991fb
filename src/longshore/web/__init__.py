"""Pages that show a run; reads the same events as every other presenter."""
