"""The version of this release, written here and nowhere else; see CHANGELOG.md."""

VERSION = "1.0.0"
