"""Runs a program whose controlling terminal is its standard input, so that Ctrl-C reaches it."""

import fcntl
import os
import sys
import termios

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
