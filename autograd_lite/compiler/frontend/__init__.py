"""From a call to a program: signatures, tracing, and what must be watched afterwards."""
