"""HTTP to registries as a chain of small senders, one concern each.

``Authorizing`` (auth/) -> ``Redirecting`` -> ``Retrying`` -> ``Session``. Each takes a `Request`
and gives an `Answer`; only `Session` touches a socket, only `Retrying` repeats or waits.
"""
