"""The program ``wfx-viewer``: draws workflows, or writes them in the languages of drawing programs."""
