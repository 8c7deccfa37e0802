"""What `import ratiopath` offers: the functions for NumPy, which import no Ray."""
