"""Where patches lie: which level of an overlay, at which scale, on which of its segments."""
