"""The commands: one module each, which reads arguments and hands over."""
