"""A pixel and the key under which it counts: samples, bins, classes, key texts, conditions."""
