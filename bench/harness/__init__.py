"""Benchmark harness: builds the data, runs Lakefront, the limit and the peers in turn, writes the report."""
