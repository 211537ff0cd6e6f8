"""Tests of what leaves for a terminal and what comes from it, on emulated terminals and real ptys."""
