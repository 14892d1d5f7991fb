"""longshore runs CodeShip Pro pipelines and pushes the images that passed."""

__version__ = "0.1.0"
