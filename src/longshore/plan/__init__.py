"""The files and the build's facts compiled into a frozen Plan; pure."""
