"""Modules and layers: what a network is made of."""
