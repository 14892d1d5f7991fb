"""Who we are to a registry: challenges, the token handshake, and tokens while they are good."""
