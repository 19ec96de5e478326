"""Tests of the grants app."""
