"""The key, the envelopes, env files, and the masking of everything secret."""
