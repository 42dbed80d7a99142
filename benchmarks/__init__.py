"""The API's speed against a floor: `make bench`."""
