"""Recordings that something happened to, with what an honest program must make of each."""
