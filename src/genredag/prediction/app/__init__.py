"""`genredag app`: a web page that names the genres of a song."""
