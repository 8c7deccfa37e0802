"""A pixel's value and the key it counts under: samples, bins, classes, key texts, conditions."""
