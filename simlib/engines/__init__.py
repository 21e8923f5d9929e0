"""The three engines: explore proves, simulate measures; machine is the plain way to run a system, for replays."""
