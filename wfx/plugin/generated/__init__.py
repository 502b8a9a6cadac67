"""Generated FlatBuffers messages of the plugin protocol; written by fbs/generate, never edited."""
