"""What a run leaves for people: tables, and one page that needs nothing but a browser."""
