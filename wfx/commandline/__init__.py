"""Command-line interface that all programs share (cli section 1).

options.py        kinds of options and how their values read
grammar.py        the tree of commands, and how arguments find their way through it
configuration.py  flags beat variables, variables beat files, files beat defaults
program.py        from the arguments to the exit code
help_texts.py, man_pages.py, help.py, completion.py   what every program can say about itself
"""
