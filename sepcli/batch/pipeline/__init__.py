"""Recordings of a plan, several of them in flight, through one network on one device."""
