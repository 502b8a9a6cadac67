"""Limits on how often work may begin: buckets of tokens with several bands each, and how they are configured."""
