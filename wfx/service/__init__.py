"""Use cases, one noun each: build the decision, hand it to the store, give back what became of it."""
