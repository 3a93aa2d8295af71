"""The command line, `adamatte`.

entry       main: runs a command, turns whatever it raises into one line and an exit code
registry    which commands there are; each is imported when it is called, not before
layout      a click command whose help is grouped and ends with examples
options     the options of `run`, one table over `Shot`'s fields
shots       run, segment, trimap
looks       inspect, verify, doctor
"""

from plugin.cli.entry import main

__all__ = ["main"]
