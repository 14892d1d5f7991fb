"""Images as streams of layers."""
