"""SVG of a workflow: layers, order and places of its states, the routes of its transitions, and the picture."""
