"""Writers of photo files, one for each format."""
