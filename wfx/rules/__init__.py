"""Rules on events: their file, the graph it becomes, and what an event brings about (``docs/rules.md``).

Nothing here has an effect: :func:`wfx.rules.evaluation.evaluate` tells which actions would be taken, with what.
"""
