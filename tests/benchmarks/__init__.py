"""Timings beside the peers, as ratios of medians of interleaved repetitions.

``python -m tests.benchmarks`` runs every workload against every peer that is
installed; nothing here is a test, so nothing can flake.
"""
