"""Results: entries of rows and keys, and the Arrow columns made of them."""
