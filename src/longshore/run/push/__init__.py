"""The push steps of a run, and `longshore push`: an image of the engine into registries."""
