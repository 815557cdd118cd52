"""The core that is read first: primitives, values, the reverse sweep."""
