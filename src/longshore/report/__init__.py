"""Events to text: terminal, JSON lines, JUnit; pure functions."""
