"""Calls, applications and reviews: everything up to the last score. It knows nothing of clusters."""
