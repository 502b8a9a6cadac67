"""jq language support that the server's response filters and wfxctl share.

tokens.py       cuts a program into tokens
numbers.py      writes a double
spelling.py     rewrites a program so that its numbers have that spelling
definitions.py  jq definitions that spell numbers in texts so, and make functions with outside effects fail
"""
