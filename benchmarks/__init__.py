"""`make bench`: compares the API's speed with a minimal Django server, the floor."""
