"""Numbers and dates as one choice among bins, and a fixed distribution inside each of them."""
