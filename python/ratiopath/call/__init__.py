"""One call, checked: its rows as a batch, its region, its options."""
