"""The report: a leaderboard as a table, and one page that opens offline."""
