"""Archives that recordings are shipped in, each read without unpacking it to disk.

`read_members` (members.py) opens any of them; the other files hold one format each.
"""
