"""The plugin messages as fbs/generate writes them; nothing here is edited by hand."""
