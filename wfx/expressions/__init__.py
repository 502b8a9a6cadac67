"""Expressions of rules: conditions and formulas over an event (``docs/rules.md``).

A text is parsed once into a frozen tree (:mod:`wfx.expressions.tree`), checked and made into closures
(:mod:`wfx.expressions.closures`). Nothing in the language repeats or defines anything, so an evaluation takes no more
steps than the tree has nodes.
"""
