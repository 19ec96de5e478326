"""Pages of calls and applications. grants/urls.py says which address shows which."""
