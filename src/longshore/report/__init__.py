"""Events to text: terminal, JSON lines, the log of jet 1.x; pure functions."""
