"""The report: a leaderboard as a table, and a single HTML page that works offline."""
